/* Kullback-Leibler divergence of targets q from log-probabilities f: sum_k q_k (log q_k - f_k), where
 * q_k = 0 counts 0. gradient -q_k, Hessian 0. The terms of the sum may cancel: the error is in ULP of
 * the largest of |q_k log q_k| and |q_k f_k|, worst 3. Parameters: none.
 */
FL_INLINE V FN(kl_divergence)(const FN(FlRowTile) * t, int wants)
{
    const V zero = vsplat(R(0.0));
    V loss = zero, lost = zero;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V q = vload(t->target + k * LANES), f = vload(t->f + k * LANES);
        if (wants & FL_WANT_LOSS) {
            V power;
            const V m = FN(fl_log_reduce)(q, &power);
            const V log_q =
                FN(fl_log_sum)(power, m - R(1.0)); /* of q > 0, the others are left out */
            /* NaN stays, -inf does not meet a target of 0 */
            const V gap = vselect((q > zero) | (f != f), log_q - f, zero);
            add_carrying(&loss, &lost, FN(fl_opaque)(vselect(f == f, q * gap, f)));
        }
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES, vselect(f == f, -q, f));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES, vselect(f == f, zero, f));
    }
    return carried(loss, lost);
}
