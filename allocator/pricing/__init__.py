"""What an offer is worth at each rate: churn curves become menus, borrowers become an offer book."""
