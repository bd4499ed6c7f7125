/* As kl_divergence.h, the targets given by their logarithms s, -inf for a target of 0:
 * sum_k e^{s_k} (s_k - f_k). gradient -e^{s_k}, Hessian 0. The error is in ULP of the largest of
 * |e^{s_k} s_k| and |e^{s_k} f_k|, worst 3; of the gradient 1.1 ULP. Parameters: none.
 */
FL_INLINE V FN(log_kl_divergence)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0));
    V loss = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V s = vload(t->target + k * LANES), f = vload(t->f + k * LANES), q = vexp(s);
        const V gap = vselect((q > zero) | (f != f), s - f, zero);
        add_carrying(&loss, &lost, FN(fl_opaque)(vselect(f == f, q * gap, f)));
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, vselect(f == f, -q, f));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vselect(f == f, zero, f));
    }
    return carried(loss, lost);
}
