/*
 * Lets the peer read numbers that no test machine counts to: an LD_PRELOAD of render_make.py.
 * U64, U32, U16 and U8 in the environment hold "type=value,type=value": attributes of that size and type read as the value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct nlattr;

static uint64_t get(const char *list, const void *attribute, size_t size)
{
	const uint16_t *header = attribute; /* nla_len, nla_type */
	uint64_t value = 0;
	char *p = getenv(list);

	while (p && *p) {
		unsigned long type = strtoul(p, &p, 0);

		value = strtoull(p + 1, &p, 0);
		if (type == (header[1] & 0x3fff))
			return value;
		p += *p == ',';
	}
	value = 0;
	memcpy(&value, header + 2, size); /* little-endian */
	return value;
}

uint64_t nla_get_u64(const struct nlattr *a) { return get("U64", a, 8); }
uint32_t nla_get_u32(const struct nlattr *a) { return get("U32", a, 4); }
uint16_t nla_get_u16(const struct nlattr *a) { return get("U16", a, 2); }
uint8_t nla_get_u8(const struct nlattr *a) { return get("U8", a, 1); }
