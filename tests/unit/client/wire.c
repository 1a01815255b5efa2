/* SPDX-License-Identifier: Apache-2.0 */
/* The server that the tests of server/http have, for those who call one. */
#include "../http/wire.c"
