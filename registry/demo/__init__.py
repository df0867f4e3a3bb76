"""The guided tour: a whole promotion on real data, from training to a card and a verified log."""
