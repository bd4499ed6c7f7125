/* Proportional odds (McCullagh 1980): the label's class reaches from a threshold l to a threshold u, either of
 * which may be infinite, and its probability is sigma(b) - sigma(a) with a = l - f, b = u - f. Written as
 * sigma(b) sigma(-a) (1 - e^{l - u}) nothing cancels:
 *     loss = softplus(-b) + softplus(a) - log(1 - e^{l - u})
 * Outputs are (f, l, u). gradient (sigma(-b) - sigma(a), sigma(a) + w, -sigma(-b) - w) with
 * w = 1 / (e^{u - l} - 1); Hessian diagonal sigma(a) sigma(-a) + sigma(b) sigma(-b), sigma(a) sigma(-a) + v,
 * sigma(b) sigma(-b) + v with v = w (1 + w). What rounding takes from the differences is put back to
 * first order: an exponential would magnify it. Parameters: none.
 */
FL_INLINE V FN(cumulative_logit)(const FN(FlRowTile) * t, int wants)
{
    const V one = vsplat(R(1.0));
    const V f = vload(t->f), lower = vload(t->f + LANES), upper = vload(t->f + 2 * LANES);
    V a_low, b_low, width_low;
    const V infinity = vsplat((REAL)INFINITY);
    /* an end at infinity stays there, but for a NaN */
    const V a_near = two_sum(lower, -f, &a_low), b_near = two_sum(upper, -f, &b_low);
    const V a = vselect((lower == -infinity) & (f == f), -infinity, a_near);
    const V b = vselect((upper == infinity) & (f == f), infinity, b_near);
    const V width = two_sum(upper, -lower, &width_low);
    V under = vexpit(a), a_down = vexpit(-a), over = vexpit(-b), b_down = vexpit(b);
    V w = one / vexpm1(width);
    const V a_slope = FN(fl_opaque)(under * a_down) * a_low;
    const V b_slope = FN(fl_opaque)(over * b_down) * b_low;
    under = under + a_slope;
    a_down = a_down - a_slope;
    over = over - b_slope;
    b_down = b_down + b_slope;
    w = w - w * FN(fl_opaque)((one + w) * width_low);
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, over - under);
        vstore(t->gradient + LANES, under + w);
        vstore(t->gradient + 2 * LANES, -over - w);
    }
    if (wants & FL_WANT_HESSIAN) {
        const V low = under * a_down, high = over * b_down, bend = w * (one + w);
        vstore(t->hessian, FN(fl_opaque)(low) + FN(fl_opaque)(high));
        vstore(t->hessian + LANES, FN(fl_opaque)(low) + FN(fl_opaque)(bend));
        vstore(t->hessian + 2 * LANES, FN(fl_opaque)(high) + FN(fl_opaque)(bend));
    }
    /* log(1 - e^-d) is -log1p(1 / (e^d - 1)) */
    return (vsoftplus(-b) - FN(fl_opaque)(over * b_low)) +
           (vsoftplus(a) + FN(fl_opaque)(under * a_low)) + vlog1p(w);
}
