"""What every route shares: transactions, guards, problem details, pages of results, request logs."""
