/* Modified Huber loss: c max(0, 1 - m)^2 where m >= -1, else -4 c m; m = (2y - 1) f, labels y in
 * {0, 1}; c is cost_fn for y = 1 and cost_fp for y = 0. gradient -2 (2y - 1) c min(max(0, 1 - m), 2);
 * Hessian 2c where -1 <= m < 1, else 0. The margin is exact: worst error 3 ULP.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE void FN(modified_huber)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0));
    const V cost = vselect(y > R(0.0), vsplat(p[0]), vsplat(p[1]));
    const V violation = sign * f;                          /* -m */
    const V slack = vmax(zero, R(1.0) + violation); /* vmax gives its second operand for NaN */
    const V size = vmin(vsplat(R(2.0)), slack);
    const VI linear = violation > R(1.0);
    (void)t;
    *loss = vselect(linear, (cost * violation) * R(4.0), (cost * size) * size);
    *gradient = (sign + sign) * (cost * size);
    const V curvature = vkeep((slack > zero) & (violation <= R(1.0)), cost + cost);
    *hessian = vselect(slack == slack, curvature, slack);
}
