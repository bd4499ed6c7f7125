/* log(1 + t) for t in [0, 1] where u = t / (1 + t) is known, too: with l = log(1 + t) and w = t u
 *     sinh l = t - w / 2,  cosh l = 1 + w / 2,  l = t - w (1/2 - sinh(l) K(w)),
 * for l / sinh l = 1 + w K(w) is a function of w <= 1/2 whose nearest singularity is at -4. That takes half as many
 * terms as a polynomial in t does. */

/* sinh(l) K(w), also for t in [-1/4, 0) */
FL_INLINE V FN(fl_log1p_rest)(V t, V w)
{
#if FL_BITS == 64
    static const double c[] = {-0.1666666666666643,    0.033333333333099346,
                               -0.00714285713488689,   0.0015873014526825357,
                               -0.0003607490511242177, 8.324217139946987e-05,
                               -1.939425441853347e-05, 4.4930073924311336e-06,
                               -9.581439117641746e-07, 1.3805171082361334e-07};
#else
    static const float c[] = {-0.166666627f, 0.0333320461f, -0.00713069178f, 0.00153646816f,
                              -0.000260890898f};
#endif
    return (t - R(0.5) * w) * FN(fl_polynomial)(w, w * w, c, sizeof c / sizeof *c);
}

/* 1/2 - sinh(l) K(w) */
FL_INLINE V FN(fl_log1p_bend)(V t, V w)
{
    return R(0.5) - FN(fl_log1p_rest)(t, w);
}

/* log(1 + t). */
FL_INLINE V FN(fl_log1p_of)(V t, V u)
{
#if FL_LOOKUP
    (void)u;
    return vlog1p_unit(t);
#else
    const V w = t * u;
    return t - w * FN(fl_log1p_bend)(t, w);
#endif
}
