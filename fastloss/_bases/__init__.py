"""The compiled bases of the losses: one output for each sample, and a row of outputs."""
