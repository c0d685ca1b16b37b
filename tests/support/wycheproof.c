// SPDX-License-Identifier: Apache-2.0
#include "wycheproof.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char x25519_path[] = EPH_VECTORS_DIR "/wycheproof/x25519_test.json";

static int nibble(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

static bool read_bytes(const json_t *test, const char *key, uint8_t bytes[32])
{
    const char *hex = json_string_value(json_object_get(test, key));
    if (!hex || strlen(hex) != 64)
        return false;
    for (int i = 0; i < 32; i++) {
        int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_vector(const json_t *test, struct eph_x25519_vector *vector)
{
    static const uint8_t zero[32];
    vector->id = (unsigned)json_integer_value(json_object_get(test, "tcId"));
    if (!read_bytes(test, "private", vector->scalar) || !read_bytes(test, "public", vector->peer) ||
        !read_bytes(test, "shared", vector->shared))
        return false;
    vector->zero_shared = memcmp(vector->shared, zero, sizeof zero) == 0;
    return true;
}

static size_t read_groups(const json_t *root, struct eph_x25519_vector *vectors)
{
    size_t count = 0, group_index, test_index;
    json_t *group, *test;
    json_array_foreach(json_object_get(root, "testGroups"), group_index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), test_index, test)
        {
            if (count == EPH_X25519_VECTORS || !read_vector(test, &vectors[count])) {
                fprintf(stderr, "%s: entry %zu is malformed or one too many\n", x25519_path, count);
                return 0;
            }
            count++;
        }
    }
    if (count != EPH_X25519_VECTORS)
        fprintf(stderr, "%s: %zu entries, expected %d\n", x25519_path, count, EPH_X25519_VECTORS);
    return count == EPH_X25519_VECTORS ? count : 0;
}

size_t eph_wycheproof_x25519(struct eph_x25519_vector **vectors)
{
    json_error_t error;
    json_t *root = json_load_file(x25519_path, 0, &error);
    *vectors = NULL;
    if (!root) {
        fprintf(stderr, "%s:%d: %s\n", x25519_path, error.line, error.text);
        return 0;
    }
    size_t count = 0;
    *vectors = calloc(EPH_X25519_VECTORS, sizeof **vectors);
    if (*vectors)
        count = read_groups(root, *vectors);
    json_decref(root);
    if (count == 0) {
        free(*vectors);
        *vectors = NULL;
    }
    return count;
}
