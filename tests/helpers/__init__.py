"""What several test files share: ULP, array layouts, processes."""
