/* log x = k ln2 + log m by a table of sixteen numbers where there are such (FL_LOOKUP), without a division: m in
 * [3/4, 3/2), m = (1 + u) / a_j with j = round(20 m) and a_j near 20 / j such that log a_j almost is a number of this
 * type; a_20 = 1, so that nothing cancels near 1. |u| <= 1/31. */
#if FL_LOOKUP
/* m, and k as a number, of any finite x > 0 */
FL_INLINE V FN(fl_log_table_split)(V x, V *k)
{
    const V m = (V)FL_MM(getmant)(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    *k = FN(fl_exponent)(x) - FN(fl_exponent)(m);
    return m;
}

/* a_j and -log a_j of such an m */
FL_INLINE V FN(fl_log_table)(V m, V *minus_log)
{
#if FL_BITS == 64
    static const FL_ALIGNED double a[] = {
        0x1.4000064b00000p+0, 0x1.2d2d265100000p+0, 0x1.1c71c74200000p+0, 0x1.0d79459e00000p+0,
        0x1.0000000000000p+0, 0x1.e79e73ac00000p-1, 0x1.d1745fc200000p-1, 0x1.bd37a06b00000p-1,
        0x1.aaaaae6200000p-1, 0x1.999992e100000p-1, 0x1.89d8a20300000p-1, 0x1.7b425d3000000p-1,
        0x1.6db6dbd500000p-1, 0x1.611a7c4d00000p-1, 0x1.5833a04300000p-1, 0x1.4fbcd4af00000p+0};
    /* clang-format off */
    static const FL_ALIGNED double minus_log_a[] = {
        -0x1.c8ffa4c00fa32p-3, -0x1.4cd68ad3638f8p-3, -0x1.af8e842d70e28p-4, -0x1.a4321a198e174p-5,
        0x0.0p+0,              0x1.8fb0cca593905p-5,  0x1.8663e01bc47dap-4,  0x1.1e3ba0719d641p-3,
        0x1.7564ef47e314ep-3,  0x1.c8ff9e14a9e8bp-3,  0x1.0ca92c1cb5484p-2,  0x1.334ea2ac9d4e8p-2,
        0x1.588c2c700015fp-2,  0x1.7c7b261a8d474p-2,  0x1.96a0924a02dc6p-2,  -0x1.15a9017bd413dp-2};
    /* clang-format on */
#else
    static const
        FL_ALIGNED float a[] = {0x1.3fb38ep+0f, 0x1.2ce274p+0f, 0x1.1c2b74p+0f, 0x1.0d5bd0p+0f,
                                0x1.000000p+0f, 0x1.e76782p-1f, 0x1.d1939ap-1f, 0x1.bce9eap-1f,
                                0x1.aa7c54p-1f, 0x1.99a968p-1f, 0x1.899db6p-1f, 0x1.7b1508p-1f,
                                0x1.6db3eep-1f, 0x1.610e28p-1f, 0x1.57f106p-1f, 0x1.5003b8p+0f};
    static const FL_ALIGNED float minus_log_a[] = {
        -0x1.c71602p-3f, -0x1.4ada5cp-3f, -0x1.ab9958p-4f, -0x1.a0b258p-5f,
        0x0.000000p+0f,  0x1.934c10p-5f,  0x1.85511cp-4f,  0x1.1fa13ap-3f,
        0x1.76437ap-3f,  0x1.c8b076p-3f,  0x1.0d426ap-2f,  0x1.33c910p-2f,
        0x1.589460p-2f,  0x1.7c9ee8p-2f,  0x1.9766cap-2f,  -0x1.168120p-2f};
#endif
    const VU j = FN(fl_ubits)(m * R(20.0) + vround_shift());
    *minus_log = FN(fl_lookup)(minus_log_a, j);
    return FN(fl_lookup)(a, j);
}

/* k ln2 + minus_log + log(1 + u) */
FL_INLINE V FN(fl_log_table_sum)(V k, V minus_log, V u)
{
    /* (log(1 + u) - u) / u^2 */
#if FL_BITS == 64
    static const double c[] = {-0.4999999999999993,  0.33333333333332804,  -0.2500000000237682,
                               0.20000000005943006,  -0.16666654576255185, 0.14285695596553372,
                               -0.12519677055805317, 0.11133475760675189};
#else
    static const float c[] = {-0.49999997f, 0.33333325f, -0.25017357f, 0.20022319f};
#endif
    const int last = sizeof c / sizeof *c - 1;
    V q = vsplat(c[last]);
    for (int i = last - 1; i >= 0; i--)
        q = c[i] + q * u;
    const V log = u + u * (u * q); /* u^2 might be subnormal, which is slow */
    const V a = k * LN2_HI, sum = a + minus_log,
            lost = (a - sum) + minus_log; /* a is 0 or the larger */
    return sum + ((lost + k * LN2_LO) + log);
}
#endif

/* log x for finite x > 0, also subnormal. Worst error as of vlog; with tables 1.1 ULP. */
FL_INLINE V FN(fl_log_of_positive)(V x)
{
    V k;
#if FL_LOOKUP
    V minus_log;
    const V m = FN(fl_log_table_split)(x, &k), a = FN(fl_log_table)(m, &minus_log);
    return FN(fl_log_table_sum)(k, minus_log, m * a - R(1.0));
#else
    const V m = FN(fl_log_reduce)(x, &k);
    return FN(fl_log_sum)(k, m - R(1.0));
#endif
}
