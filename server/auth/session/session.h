/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: key pairs of five minutes for one bucket, made of a pair that is in force.
 *
 * (1) Nothing is kept of one: its token says all (envelope.h), and its keys are made of the token and of the
 *     secret of the pair that asked for it. That pair removed, disabled or replaced, its sessions end.
 * (2) A session opens nothing that its user may not do: it is asked for each request, as without one.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
 */
#ifndef SERVER_AUTH_SESSION_SESSION_H
#define SERVER_AUTH_SESSION_SESSION_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest/digest.h"

#define SESSION_US (300 * US_PER_S)
#define SESSION_ACCESS_KEY_LEN 20
#define SESSION_SECRET_LEN 40

enum session_mode { SESSION_READ_WRITE = 0, SESSION_READ_ONLY };

/* What a token says. Texts are borrowed. */
struct session {
    struct str parent; /* access key of the pair that asked for it */
    struct str bucket;
    enum session_mode mode;
    int64_t expires_us;
    /* How new objects are encrypted that do not say it themselves, as headers; STR_NONE: as without it. */
    struct str sse, key_id, context;
};

/* Texts in the arena. STR_NONE: no memory, or texts that are too long. Any thread. */
struct str session_seal(const uint8_t key[AES_KEY_BYTES], const struct session *session,
                        struct arena *arena);
/* False: not a token of this server's, or no memory. That it may have expired is not looked at. */
MUST_CHECK bool session_open(const uint8_t key[AES_KEY_BYTES], struct str token,
                             struct arena *arena, struct session *ret_session);

/* The access key is of the token alone, so that who has none can not name it. */
void session_access_key(struct str token, char out[SESSION_ACCESS_KEY_LEN]);
void session_secret(struct str token, struct str parent_secret, char out[SESSION_SECRET_LEN]);

#endif
