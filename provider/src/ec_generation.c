// SPDX-License-Identifier: Apache-2.0
#include "ec_generation.h"
#include "ec_key.h"
#include "provider.h"
#include "route.h"
#include "software_ec.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

struct generation {
    struct eph_provider *provider; // borrowed
    int selection;
    const struct eph_ec_curve *curve; // borrowed; NULL: none chosen, or not ours
    EVP_PKEY_CTX *custom;             // owned; default's generation, once anything but a group of ours was asked for
};

static bool wants_keypair(const struct generation *generation)
{
    return (generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
}

void *eph_ec_gen_init(void *vprovider, int selection, const OSSL_PARAM params[])
{
    struct generation *generation = vprovider != NULL ? OPENSSL_zalloc(sizeof *generation) : NULL;
    if (generation == NULL)
        return NULL;
    generation->provider = vprovider;
    generation->selection = selection;
    if (!eph_ec_gen_set_params(generation, params)) {
        eph_ec_gen_cleanup(generation);
        return NULL;
    }
    return generation;
}

void eph_ec_gen_cleanup(void *vgeneration)
{
    struct generation *generation = vgeneration;
    if (generation == NULL)
        return;
    EVP_PKEY_CTX_free(generation->custom);
    OPENSSL_free(generation);
}

static bool make_custom(struct generation *generation)
{
    if (generation->custom != NULL)
        return true;
    generation->custom = eph_software_ec_generator(&generation->provider->software, NULL, wants_keypair(generation));
    return generation->custom != NULL &&
           (generation->curve == NULL || EVP_PKEY_CTX_set_group_name(generation->custom, generation->curve->name) > 0);
}

// libssl generates a server's share from the peer's key. The template decides the group and nothing else, as in
// default.
int eph_ec_gen_set_template(void *vgeneration, void *vtemplate)
{
    struct generation *generation = vgeneration;
    struct eph_ec_key *template = vtemplate;
    if (generation == NULL || template == NULL || !eph_ec_key_has_parameters(template))
        return 0;
    generation->curve = template->curve;
    if (template->curve != NULL)
        return generation->custom == NULL || EVP_PKEY_CTX_set_group_name(generation->custom, template->curve->name) > 0;
    EVP_PKEY_CTX *custom = eph_software_ec_generator(&generation->provider->software, eph_ec_key_software(template),
                                                     wants_keypair(generation));
    if (custom == NULL)
        return 0;
    EVP_PKEY_CTX_free(generation->custom);
    generation->custom = custom;
    return 1;
}

int eph_ec_gen_set_params(void *vgeneration, const OSSL_PARAM params[])
{
    struct generation *generation = vgeneration;
    char name[64], *into = name;
    if (generation == NULL)
        return 0;
    if (params == NULL || params[0].key == NULL)
        return 1;
    const OSSL_PARAM *group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    const struct eph_ec_curve *curve = generation->curve;
    if (group != NULL)
        curve = OSSL_PARAM_get_utf8_string(group, &into, sizeof name)
                    ? eph_ec_curve_find(&generation->provider->ec, name)
                    : NULL;
    bool group_alone = group == params && params[1].key == NULL;
    if ((generation->custom != NULL || curve == NULL || !group_alone) &&
        (!make_custom(generation) || EVP_PKEY_CTX_set_params(generation->custom, params) <= 0))
        return 0;
    generation->curve = curve;
    return 1;
}

const OSSL_PARAM *eph_ec_gen_settable_params(void *vgeneration, void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    (void)vgeneration;
    return provider != NULL ? EVP_KEYMGMT_gen_settable_params(provider->ec.keymgmt) : NULL;
}

static bool generate(struct generation *generation, struct eph_ec_key *key)
{
    struct eph_provider *provider = generation->provider;
    EVP_PKEY *software = NULL;
    if (generation->curve == NULL && !make_custom(generation))
        return false;
    key->curve = generation->curve;
    key->plain = generation->custom == NULL;
    if (wants_keypair(generation)) {
        key->has_public = key->has_private = true;
        software = eph_route_ec_keygen(provider, key->curve, generation->custom);
    } else if (key->plain) {
        return true; // parameters alone, and curve says them all
    } else {
        software = eph_software_ec_generate(&provider->software, NULL, generation->custom);
    }
    if (software == NULL)
        return false;
    eph_ec_key_adopt(key, software, key->plain);
    return true;
}

void *eph_ec_gen(void *vgeneration, OSSL_CALLBACK *progress, void *argument)
{
    struct generation *generation = vgeneration;
    struct eph_ec_key *key = generation != NULL ? eph_ec_key_new(generation->provider) : NULL;
    (void)progress;
    (void)argument;
    if (key != NULL && !generate(generation, key)) {
        eph_ec_key_free(key);
        return NULL;
    }
    return key;
}
