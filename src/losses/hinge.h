/* Hinge loss: c max(0, 1 - m), m = (2y - 1) f, labels y in {0, 1}; c is cost_fn for y = 1 and cost_fp
 * for y = 0. gradient -(2y - 1) c where m < 1, else 0; the Hessian, zero almost everywhere, is reported
 * as c where m < 1 and 0 elsewhere. The margin is exact, so 1 - m is rounded once: worst error 2 ULP.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE void FN(hinge)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    const V sign = y + y - R(1.0), zero = vsplat(R(0.0));
    const V cost = vselect(y > R(0.0), vsplat(p[0]), vsplat(p[1]));
    const V slack = R(1.0) - sign * f;
    const VI active = slack > R(0.0);
    (void)t;
    *loss = cost * vmax(zero, slack); /* vmax gives its second operand for NaN */
    *gradient = vselect(slack == slack, vselect(active, -sign * cost, zero), slack);
    *hessian = vselect(slack == slack, vkeep(active, cost), slack);
}
