/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told of what happened; see record.h.
 */
#include "server/records/record.h"

bool observers_add(struct observers *observers, const struct observer *observer)
{
    if (observers->count == OBSERVERS_MAX)
        return false;

    observers->list[observers->count++] = *observer;
    return true;
}

void observers_tell_request(const struct observers *observers, const struct request_record *record)
{
    for (size_t i = 0; observers != NULL && i < observers->count; i++) {
        const struct observer *observer = &observers->list[i];

        if (observer->request != NULL)
            observer->request(observer->context, record);
    }
}

void observers_tell_deed(const struct observers *observers, const struct deed_record *record)
{
    for (size_t i = 0; observers != NULL && i < observers->count; i++) {
        const struct observer *observer = &observers->list[i];

        if (observer->deed != NULL)
            observer->deed(observer->context, record);
    }
}

void observers_tell_work(const struct observers *observers, struct str store,
                         const struct work_record *record)
{
    for (size_t i = 0; observers != NULL && i < observers->count; i++) {
        const struct observer *observer = &observers->list[i];

        if (observer->work != NULL)
            observer->work(observer->context, store, record);
    }
}
