// SPDX-License-Identifier: Apache-2.0
#include "ec_generation.h"
#include "ec_key.h"
#include "provider.h"
#include "route.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

struct generation {
    struct eph_provider *provider; // borrowed
    int selection;
    const struct eph_ec_curve *curve; // borrowed; NULL: none chosen, or not ours
    void *custom;                     // owned; default's generation, once anything but a group of ours was asked for
};

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
    if (generation->custom != NULL)
        generation->provider->ec.software.gen_cleanup(generation->custom);
    OPENSSL_free(generation);
}

// Default's generation, which knows the group that was chosen so far: by name, so that another name can follow.
static bool make_custom(struct generation *generation)
{
    const struct eph_software_ec *ec = &generation->provider->ec.software;
    if (generation->custom != NULL)
        return true;
    OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
    if (generation->curve != NULL)
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)generation->curve->name, 0);
    generation->custom = ec->gen_init(ec->context, generation->selection, params);
    return generation->custom != NULL;
}

// libssl generates a server's share from the peer's key.
int eph_ec_gen_set_template(void *vgeneration, void *vtemplate)
{
    struct generation *generation = vgeneration;
    struct eph_ec_key *template = vtemplate;
    if (generation == NULL || template == NULL || !eph_ec_key_has_parameters(template))
        return 0;
    generation->curve = template->curve;
    if (template->plain && template->curve != NULL && generation->custom == NULL)
        return 1;
    void *software = eph_ec_key_software(template);
    return software != NULL && make_custom(generation) &&
           generation->provider->ec.software.gen_set_template(generation->custom, software);
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
        (!make_custom(generation) || !generation->provider->ec.software.gen_set_params(generation->custom, params)))
        return 0;
    generation->curve = curve;
    return 1;
}

const OSSL_PARAM *eph_ec_gen_settable_params(void *vgeneration, void *vprovider)
{
    const struct eph_provider *provider = vprovider;
    (void)vgeneration;
    return provider != NULL ? provider->ec.software.gen_settable_params(NULL, provider->ec.software.context) : NULL;
}

static bool generate(struct generation *generation, struct eph_ec_key *key)
{
    struct eph_provider *provider = generation->provider;
    bool wants_keypair = (generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
    void *software = NULL;
    if (generation->curve == NULL && !make_custom(generation))
        return false;
    if (generation->custom == NULL && !wants_keypair) { // parameters alone, and curve says them all
        key->curve = generation->curve;
        key->plain = true;
        return true;
    }
    software = wants_keypair ? eph_route_ec_keygen(provider, generation->curve, generation->custom)
                             : provider->ec.software.gen(generation->custom, NULL, NULL);
    if (software == NULL)
        return false;
    bool plain = generation->custom == NULL;
    eph_ec_key_adopt(key, software, plain ? generation->curve : NULL, plain);
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
