"""Linear objectives: the matrix is read once for each evaluation."""
