// A plugin of QEMU's that executes a full fence of the host's before each
// load-acquire of an arm64 guest.
//
// Arm orders a store-release before a later load-acquire: neither STLR; LDAR nor
// STLR; LDAXR may read first (Arm ARM, "Load-Acquire, Store-Release": RCsc). QEMU's
// multi-threaded translator makes of STLR a barrier and a store, of LDAR and LDAXR a
// load and a barrier (target/arm/tcg/translate-a64.c), and nothing stands between the
// store and the load: an x86 host's store buffer shows it, and an arm64 host may
// reorder the plain accesses that are left (QEMU's tracker, issue 4872).
//
// The declarations are those of QEMU's include/qemu/qemu-plugin.h that are used here,
// so that no header is needed. INTERFACE is the version of the interface: 1 up to QEMU
// 8.2, 2 in 9.0, and 3 since 9.1, which also later ones take.

#include <stdint.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned vcpu, void *data), int flags, void *data);
#if INTERFACE >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t length);
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#endif

int qemu_plugin_version = INTERFACE;

// On x86 an atomic instruction of the guest's becomes a LOCK-prefixed one, CAS that
// fails too (accel/tcg/atomic_template.h), and is a fence already. Elsewhere it is
// what the host's compiler makes of a sequentially consistent one, whose load is not
// ordered after the plain store that is left of STLR.
#ifndef ATOMICS_FENCE
#if defined(__x86_64__) || defined(__i386__)
#define ATOMICS_FENCE 1
#else
#define ATOMICS_FENCE 0
#endif
#endif

// acquires says whether an A64 instruction is a load-acquire that needs the fence.
// LDAPR and its kin are not among them: Arm lets those pass an earlier STLR.
static int acquires(uint32_t w)
{
	if ((w & 0x3fe00000) == 0x08c00000) // LDAR; LDLAR, the same to QEMU
		return 1;
	if ((w & 0x3fe08000) == 0x08408000) // LDAXR
		return 1;
	if ((w & 0xbfe08000) == 0x88608000) // LDAXP
		return 1;
	if (ATOMICS_FENCE)
		return 0;
	if ((w & 0x3fe07c00) == 0x08e07c00) // CASA, CASAL
		return 1;
	if ((w & 0xbfe07c00) == 0x08607c00) // CASPA, CASPAL
		return 1;
	if ((w & 0x3fa00c00) == 0x38a00000) // SWPA, LDADDA and their like
		return (w & 0x3fe0fc00) != 0x38a0c000; // but for LDAPR
	return 0;
}

static void fence(unsigned vcpu, void *data)
{
	__sync_synchronize();
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t w; // little endian, as the hosts are

		if (qemu_plugin_insn_size(insn) != sizeof(w))
			continue;
#if INTERFACE >= 3
		if (qemu_plugin_insn_data(insn, &w, sizeof(w)) != sizeof(w))
			continue;
#else
		memcpy(&w, qemu_plugin_insn_data(insn), sizeof(w));
#endif
		if (acquires(w))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, fence, 0, 0); // it reads no registers
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
