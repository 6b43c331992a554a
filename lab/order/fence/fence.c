// A plugin of QEMU's that executes a full fence of the host's after each store-release
// of an arm64 guest.
//
// Arm orders a store-release before a later load-acquire: neither STLR; LDAR nor
// STLR; LDAXR may read first (Arm ARM, "Load-Acquire, Store-Release": RCsc). QEMU's
// multi-threaded translator makes of STLR a barrier and a store, of LDAR and LDAXR a
// load and a barrier (target/arm/tcg/translate-a64.c), and nothing stands between the
// store and the load: an x86 host's store buffer shows it, and an arm64 host may
// reorder the plain accesses that are left (QEMU's tracker, issue 4872).
//
// A fence before each load-acquire does as well and costs more: every compare-and-swap
// begins with one. A program of nothing but atomics, once it was translated, took 26 %
// longer with that and 4 % with this.
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
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned vcpu, uint32_t info, uint64_t address, void *data), int flags, int rw, void *data);
#if INTERFACE >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t length);
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#endif

int qemu_plugin_version = INTERFACE;

// QEMU_PLUGIN_CB_NO_REGS and QEMU_PLUGIN_MEM_W.
enum { NO_REGISTERS = 0, STORES = 2 };

// On x86 an atomic instruction of the guest's, and STLXR that succeeds, becomes a
// LOCK-prefixed one (accel/tcg/atomic_template.h) and is a fence already. Elsewhere it
// is what the host's compiler makes of a sequentially consistent one, after which the
// plain load that is left of LDAR may read before it has written.
#ifndef ATOMICS_FENCE
#if defined(__x86_64__) || defined(__i386__)
#define ATOMICS_FENCE 1
#else
#define ATOMICS_FENCE 0
#endif
#endif

// releases says whether an A64 instruction is a store-release that needs the fence.
static int releases(uint32_t w)
{
	if ((w & 0x3fe00000) == 0x08800000) // STLR; STLLR, the same to QEMU
		return 1;
	if ((w & 0x3fe00c00) == 0x19000000) // STLUR
		return 1;
	if (ATOMICS_FENCE)
		return 0;
	if ((w & 0x3fe08000) == 0x08008000) // STLXR
		return 1;
	if ((w & 0xbfe08000) == 0x88208000) // STLXP
		return 1;
	if ((w & 0x3fa0fc00) == 0x08a0fc00) // CASL, CASAL
		return 1;
	if ((w & 0xbfa0fc00) == 0x0820fc00) // CASPL, CASPAL
		return 1;
	return (w & 0x3f600c00) == 0x38600000; // SWPL, LDADDL and their like
}

// stored is called after the access.
static void stored(unsigned vcpu, uint32_t info, uint64_t address, void *data)
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
		if (releases(w))
			qemu_plugin_register_vcpu_mem_cb(insn, stored, NO_REGISTERS, STORES, 0);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
