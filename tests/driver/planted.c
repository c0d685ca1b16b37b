// SPDX-License-Identifier: Apache-2.0
// Faults that the sanitizer build must find: ctest runs each of these and demands that it FAILS. Criterion reports both
// as passed when the sanitizer only prints, which is why eph_test reads the output as well.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *volatile lost;

Test(planted, leak)
{
    lost = malloc(64);
    memset(lost, 1, 64);
    lost = NULL;
}

Test(planted, overflow)
{
    volatile char *volatile buffer = malloc(8);
    volatile size_t index = 8;
    buffer[index] = 1;
    free((void *)buffer);
}

Test(planted, undefined_shift)
{
    volatile int distance = 40;
    volatile int result = 1 << distance;
    (void)result;
}
