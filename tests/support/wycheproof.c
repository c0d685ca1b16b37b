// SPDX-License-Identifier: Apache-2.0
#include "wycheproof.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One file of vectors: how many there must be, and how one is read into an array of `bytes` each.
struct file {
    const char *path;
    size_t count, bytes;
    bool (*read)(const json_t *test, void *vector);
};

static int nibble(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

// Up to room bytes; their number into *bytes.
static bool read_hex(const json_t *test, const char *key, uint8_t *out, size_t room, size_t *bytes)
{
    const char *hex = json_string_value(json_object_get(test, key));
    *bytes = hex ? strlen(hex) / 2 : 0;
    if (!hex || strlen(hex) % 2 || *bytes > room)
        return false;
    for (size_t i = 0; i < *bytes; i++) {
        int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_32(const json_t *test, const char *key, uint8_t out[32])
{
    size_t bytes;
    return read_hex(test, key, out, 32, &bytes) && bytes == 32;
}

// A big-endian integer of any length into 32 bytes, as DER gives it: short, or with a leading zero.
static bool read_integer(const json_t *test, const char *key, uint8_t out[32])
{
    uint8_t octets[33] = {0};
    size_t bytes;
    if (!read_hex(test, key, octets, sizeof octets, &bytes) || (bytes == 33 && octets[0] != 0))
        return false;
    size_t extra = bytes == 33 ? 1 : 0;
    memset(out, 0, 32);
    memcpy(out + 32 - (bytes - extra), octets + extra, bytes - extra);
    return true;
}

static bool read_x25519(const json_t *test, void *out)
{
    static const uint8_t zero[32];
    struct eph_x25519_vector *vector = out;
    vector->id = (unsigned)json_integer_value(json_object_get(test, "tcId"));
    if (!read_32(test, "private", vector->scalar) || !read_32(test, "public", vector->peer) ||
        !read_32(test, "shared", vector->shared))
        return false;
    vector->zero_shared = memcmp(vector->shared, zero, sizeof zero) == 0;
    return true;
}

static bool read_result(const json_t *test, enum eph_wycheproof_result *result)
{
    static const char *const names[] = {"valid", "acceptable", "invalid"};
    const char *name = json_string_value(json_object_get(test, "result"));
    for (int i = 0; name && i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *result = (enum eph_wycheproof_result)i;
            return true;
        }
    }
    return false;
}

static bool read_p256(const json_t *test, void *out)
{
    struct eph_p256_vector *vector = out;
    vector->id = (unsigned)json_integer_value(json_object_get(test, "tcId"));
    return read_result(test, &vector->result) && read_integer(test, "private", vector->scalar) &&
           read_hex(test, "public", vector->peer, sizeof vector->peer, &vector->peer_bytes) &&
           (vector->result == EPH_WYCHEPROOF_INVALID || read_32(test, "shared", vector->shared));
}

static size_t read_groups(const json_t *root, const struct file *file, char *vectors)
{
    size_t count = 0, group_index, test_index;
    json_t *group, *test;
    json_array_foreach(json_object_get(root, "testGroups"), group_index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), test_index, test)
        {
            if (count == file->count || !file->read(test, vectors + count * file->bytes)) {
                fprintf(stderr, "%s: entry %zu is malformed or one too many\n", file->path, count);
                return 0;
            }
            count++;
        }
    }
    if (count != file->count)
        fprintf(stderr, "%s: %zu entries, expected %zu\n", file->path, count, file->count);
    return count == file->count ? count : 0;
}

static size_t read_file(const struct file *file, void **vectors)
{
    json_error_t error;
    json_t *root = json_load_file(file->path, 0, &error);
    *vectors = NULL;
    if (!root) {
        fprintf(stderr, "%s:%d: %s\n", file->path, error.line, error.text);
        return 0;
    }
    size_t count = 0;
    *vectors = calloc(file->count, file->bytes);
    if (*vectors)
        count = read_groups(root, file, *vectors);
    json_decref(root);
    if (count == 0) {
        free(*vectors);
        *vectors = NULL;
    }
    return count;
}

size_t eph_wycheproof_x25519(struct eph_x25519_vector **vectors)
{
    static const struct file file = {EPH_VECTORS_DIR "/wycheproof/x25519_test.json", EPH_X25519_VECTORS,
                                     sizeof(struct eph_x25519_vector), read_x25519};
    void *read = NULL;
    size_t count = read_file(&file, &read);
    *vectors = read;
    return count;
}

size_t eph_wycheproof_p256(struct eph_p256_vector **vectors)
{
    static const struct file file = {EPH_VECTORS_DIR "/wycheproof/ecdh_secp256r1_ecpoint_test.json", EPH_P256_VECTORS,
                                     sizeof(struct eph_p256_vector), read_p256};
    void *read = NULL;
    size_t count = read_file(&file, &read);
    *vectors = read;
    return count;
}
