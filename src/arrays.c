/* Array descriptions and the sums over blocks: what is the same on every instruction set. */
#include "kernels.h"

/* Drops axes of length 1 and joins neighbours that one stride covers, so that most arrays become one
 * axis and the walk over them one loop. Keeps the C order of the flat index. */
void fl_array_merge_axes(FlArray *array)
{
    int n = 0;
    for (int axis = 0; axis < array->ndim; axis++) {
        if (array->shape[axis] == 1)
            continue;
        if (n > 0 && array->strides[n - 1] == array->shape[axis] * array->strides[axis]) {
            array->shape[n - 1] *= array->shape[axis];
            array->strides[n - 1] = array->strides[axis];
        } else {
            array->shape[n] = array->shape[axis];
            array->strides[n] = array->strides[axis];
            n++;
        }
    }
    if (n == 0) {
        array->shape[0] = 1;
        array->strides[0] = array->itemsize;
        n = 1;
    }
    array->ndim = n;
}

/* Pairwise: the error grows with log n, and the order depends on n alone. */
double fl_sum_pairwise(const double *x, ptrdiff_t n)
{
    if (n <= 8) {
        double sum = 0.0;
        for (ptrdiff_t i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    return fl_sum_pairwise(x, n / 2) + fl_sum_pairwise(x + n / 2, n - n / 2);
}
