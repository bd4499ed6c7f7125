/* Gradients, as param and grad alike, times c[0]. */
FL_INLINE int FN(scale_states)(int variant)
{
    (void)variant;
    return 0;
}

FL_INLINE void FN(scale_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    (void)variant, (void)state;
    *param = c[0] * grad;
}
