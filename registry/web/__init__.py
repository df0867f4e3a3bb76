"""Pages for reviewers and auditors."""
