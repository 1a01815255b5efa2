/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: whose an access key is, asked of sources that may change at any moment.
 *
 *   settings --users_add--> struct users --users_replace--> users in force --\
 *                                             (any other source) -------------> struct credentials,
 *                                                                one per loop: credentials_find
 *
 * (1) What is found is copied. A request ends as who it began as, whatever becomes of its key
 *     meanwhile, and nothing of it points into a source.
 * (2) A table of users never changes once it is in force; another one takes its place, whole. Who
 *     asks after users_replace has returned, on whatever thread, asks the new one.
 * (3) A loop lets go of the old table with its next question; the last one wipes and frees it.
 * (4) Sources are asked in their order, and the first that knows the key answers.
 * (5) The generation changes whenever a source does: what was derived from a secret goes then.
 */
#ifndef SERVER_AUTH_CREDENTIALS_H
#define SERVER_AUTH_CREDENTIALS_H

#include "base/arena.h"
#include "base/fault.h"

#define AUTH_ACCESS_KEY_BYTES_MAX 128
#define AUTH_SECRET_BYTES_MAX 128
#define AUTH_TOKEN_BYTES_MAX 2048
#define AUTH_USERS_MAX 256
#define AUTH_ACCOUNT_DIGITS 12
#define CREDENTIALS_SOURCES_MAX 4

/* What of an account a key pair is. */
enum user_kind {
    USER_ALONE = 0, /* the only user of an account of its own */
    USER_OF_ACCOUNT,
    USER_ROOT,    /* of this server: the account itself */
    USER_SERVICE, /* of AWS, that acts for an account: name is its principal; no key pair is one */
};

struct user {
    struct str access_key;
    struct str secret_key;
    struct str session_token; /* STR_NONE: a permanent key; else every request must carry it */
    enum user_kind kind;
    struct str account;      /* AUTH_ACCOUNT_DIGITS digits */
    struct str canonical_id; /* the account's, 64 hex digits: what its users own, it owns */
    struct str display_name;
    struct str email;   /* "" when unknown */
    struct str name;    /* of the user in ARNs; STR_NONE: display_name */
    int64_t expires_us; /* temporary keys; 0: never */
    bool disabled;      /* the key opens nothing; what the user owns and was granted stays */
};

/* ---- a table of users ---------------------------------------------------------------------- */

struct users; /* one thread until it is in force; then it does not change */

MUST_CHECK struct users *users_open(void);
void users_close(struct users *users); /* one that is not in force; NULL is fine */
/*
 * Copies; the first is the root user. Without an account a user gets users_account_id's. False:
 * duplicate access key, empty or too long fields, too many, an account with two canonical ids or a
 * canonical id with two accounts.
 */
MUST_CHECK bool users_add(struct users *users, const struct user *user, struct fault *fault);
size_t users_count(const struct users *users);
/* The canonical id pail gives a user that was not given one: SHA-256 of the name, hex. */
void users_canonical_id(struct str name, char out[64]);
/* The account of a canonical id that was not given one: twelve digits, always the same. */
void users_account_id(struct str canonical_id, char out[AUTH_ACCOUNT_DIGITS]);
bool users_account_good(struct str account); /* is it AUTH_ACCOUNT_DIGITS digits? */

/* ---- the one in force ---------------------------------------------------------------------- */

struct users_in_force; /* any thread */

/* Takes over the table, or NULL for want of memory, and then does not. */
MUST_CHECK struct users_in_force *users_put_in_force(struct users *users);
/* Takes over the table. */
void users_replace(struct users_in_force *in_force, struct users *users);
/* Once no credentials ask it any more; NULL is fine. */
void users_in_force_close(struct users_in_force *in_force);

/* ---- sources ------------------------------------------------------------------------------- */

enum credentials_by {
    CREDENTIALS_BY_ACCESS_KEY, /* only of keys that open something */
    CREDENTIALS_BY_CANONICAL_ID,
    CREDENTIALS_BY_EMAIL,
    CREDENTIALS_ROOT, /* whatever the text */
};

enum credentials_answer {
    CREDENTIALS_FOUND = 0,
    CREDENTIALS_UNKNOWN,
    CREDENTIALS_LACKING, /* memory, or whatever it takes to know: nothing is said of the key */
};

/* As one loop asks it: its functions are called on that loop's thread alone. */
struct credentials_source {
    /* The user's texts are borrowed until the next question. */
    enum credentials_answer (*find)(void *context, enum credentials_by by, struct str text,
                                    struct user *ret_user);
    /* Goes up whenever an answer may be another one. */
    uint64_t (*generation)(void *context);
    void (*close)(void *context); /* may be NULL */
    void *context;
};

struct credentials; /* one loop's: one thread */

/* NULL: no memory. The users in force are its first source. */
MUST_CHECK struct credentials *credentials_open(struct users_in_force *users);
void credentials_close(struct credentials *credentials); /* closes its sources; NULL is fine */
/* False: there are CREDENTIALS_SOURCES_MAX already; the source is not taken over then. */
MUST_CHECK bool credentials_add(struct credentials *credentials,
                                const struct credentials_source *source);

/* ---- asking -------------------------------------------------------------------------------- */

/* What was found: a copy. Its user's texts are in the arena, but for the secret key. */
struct credential {
    struct user user; /* secret_key: of secret, so that the struct is not to be copied */
    uint64_t generation;
    char secret[AUTH_SECRET_BYTES_MAX];
};

void credential_wipe(struct credential *credential); /* CLEANUP helper */
/* Of a user that no source knows. False: no memory. */
MUST_CHECK bool credential_copy(const struct user *user, struct arena *arena,
                                struct credential *ret_credential);

/* arena: where the copy's texts go; it lives as long as they are looked at. */
MUST_CHECK enum credentials_answer credentials_find(struct credentials *credentials,
                                                    enum credentials_by by, struct str text,
                                                    struct arena *arena,
                                                    struct credential *ret_credential);
/*
 * Who that is, to be named or granted something: nothing is copied, and the texts are borrowed until
 * the next question. No secrets.
 */
MUST_CHECK enum credentials_answer credentials_know(struct credentials *credentials,
                                                    enum credentials_by by, struct str text,
                                                    struct user *ret_user);
uint64_t credentials_generation(const struct credentials *credentials);

#endif
