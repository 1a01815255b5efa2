/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days of the Gregorian calendar, before it began too; years from 0 to 10000. Pure.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdint.h>

/* month 1..12. */
unsigned calendar_days_of_month(unsigned year, unsigned month);
/* Days since 1970-01-01 of a date, and the date of one. */
int64_t calendar_day(unsigned year, unsigned month, unsigned day);
void calendar_date(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day);

#endif
