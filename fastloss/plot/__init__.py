"""Pictures of losses: value, gradient and Hessian over the raw prediction."""
