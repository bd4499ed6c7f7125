/* Squared hinge loss: c max(0, 1 - m)^2, m = (2y - 1) f, labels y in {0, 1}; c is cost_fn for y = 1 and
 * cost_fp for y = 0. gradient -2 (2y - 1) c max(0, 1 - m); Hessian 2c where m < 1, else 0.
 * The margin is exact: worst error 3 ULP. Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE void FN(squared_hinge)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = y + y - R(1.0), zero = vsplat(R(0.0));
    const V cost = vselect(y > R(0.0), vsplat(p[0]), vsplat(p[1]));
    const V slack = vmax(zero, R(1.0) - sign * f);
    (void)t;
    *loss = (cost * slack) * slack;
    *gradient = (R(-2.0) * sign) * (cost * slack);
    *hessian = vselect(slack == slack, vkeep(slack > zero, cost + cost), slack);
}
