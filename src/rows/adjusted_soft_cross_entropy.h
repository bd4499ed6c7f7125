/* As adjusted_cross_entropy.h, for targets t_k in place of a class. */
#include "rows/adjusted_softmax.h"

FL_INLINE V FN(adjusted_soft_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    return FN(fl_adjusted_softmax)(t, 1, wants);
}
