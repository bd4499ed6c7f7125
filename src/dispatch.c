/* Which table of kernels this processor runs: asked once, at import. */
#include <string.h>

#include "kernels.h"

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
#define FL_X86 1
#endif
#if defined(__aarch64__) && defined(__GNUC__)
#define FL_NEON 1
#endif

/* FL_WITHOUT_<isa>: that is not in this build (FASTLOSS_ISAS in setup.py) */
extern const FlKernels fl_kernels_generic, fl_kernels_baseline, fl_kernels_v3, fl_kernels_v4;
extern const FlKernels fl_kernels_neon;

typedef struct {
    const FlKernels *kernels;
    int supported;
} FlCandidate;

/* From the slowest to the fastest. __builtin_cpu_supports also asks whether the operating system
 * saves the wide registers. */
static int fl_candidates(FlCandidate list[4])
{
    int n = 0;
#ifndef FL_WITHOUT_GENERIC
    list[n++] = (FlCandidate){&fl_kernels_generic, 1};
#endif
#ifdef FL_X86
    __builtin_cpu_init();
    const int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                   __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl");
    (void)v3, (void)v4;
#endif
#if defined(FL_X86) && !defined(FL_WITHOUT_BASELINE)
    list[n++] = (FlCandidate){&fl_kernels_baseline, 1};
#endif
#if defined(FL_X86) && !defined(FL_WITHOUT_V3)
    list[n++] = (FlCandidate){&fl_kernels_v3, v3};
#endif
#if defined(FL_X86) && !defined(FL_WITHOUT_V4)
    list[n++] = (FlCandidate){&fl_kernels_v4, v4};
#endif
#if defined(FL_NEON) && !defined(FL_WITHOUT_NEON)
    list[n++] = (FlCandidate){&fl_kernels_neon, 1};
#endif
    return n;
}

/* The table asked for by name, or the fastest that runs here if requested is NULL. NULL, and a
 * reason in *problem, where the name is unknown or the processor lacks it. */
const FlKernels *fl_select_kernels(const char *requested, const char **problem)
{
    FlCandidate list[4];
    const int n = fl_candidates(list);
    *problem = "it is not among the instruction sets of this build";
    for (int i = n - 1; i >= 0; i--) {
        if (!requested) {
            if (list[i].supported)
                return list[i].kernels;
        } else if (strcmp(requested, list[i].kernels->isa) == 0) {
            if (list[i].supported)
                return list[i].kernels;
            *problem = "this processor does not support it";
        }
    }
    return NULL;
}

/* The names of all that run here, slowest first; returns how many. */
int fl_available_isas(const char *names[], int capacity)
{
    FlCandidate list[4];
    const int n = fl_candidates(list);
    int count = 0;
    for (int i = 0; i < n; i++)
        if (list[i].supported && count < capacity)
            names[count++] = list[i].kernels->isa;
    return count;
}
