/* Smoothed hinge loss: with s = max(0, 1 - m), m = (2y - 1) f, labels y in {0, 1}, it is c s^2 / (2
 * gamma) where s < gamma, else c (s - gamma/2); c is cost_fn for y = 1 and cost_fp for y = 0.
 * gradient -(2y - 1) c min(s / gamma, 1); Hessian c / gamma where 0 < s < gamma, else 0. s - gamma/2 >=
 * s/2 outside, so nothing cancels: worst error 3.5 ULP. Parameters: p[0] = cost_fn, p[1] = cost_fp,
 * p[2] = gamma, p[3] = gamma / 2, p[4] = cost_fn / gamma, p[5] = cost_fp / gamma, p[6] = gamma - 1.
 */
FL_INLINE void FN(smooth_hinge)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const VI positive = y > R(0.0);
    const V cost = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V curvature = vselect(positive, vsplat(p[4]), vsplat(p[5]));
    const V violation = sign * f,
            slack = vmax(zero, one + violation); /* vmax gives its second operand for NaN */
    const V scaled = slack / p[2];
    const VI linear = violation >= p[6], quadratic = (slack > zero) & (violation < p[6]);
    (void)t;
    *loss = cost * vselect(linear, slack - p[3], (slack * R(0.5)) * scaled);
    *gradient = sign * (cost * vselect(linear, one, scaled));
    *hessian = vselect(slack == slack, vkeep(quadratic, curvature), slack);
}
