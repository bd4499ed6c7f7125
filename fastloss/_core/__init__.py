"""What all compiled modules stand on: threads, instruction sets, arrays, weights, vector functions."""
