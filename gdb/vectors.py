from gdb.unwinder import Unwinder, register_unwinder


class Vectors(Unwinder):
    """Goes on from the kernel's exception vectors into the program.

A running guest is often stopped where an interrupt has just been taken: at the first
instruction of a vector, with all of the program's registers in place but for those
that the exception itself puts aside. This kernel code has no call frame information.

gdb takes what is interrupted for a caller, as unwinders in Python cannot say otherwise:
at the first instruction of a line or of a function it names the one before."""

    # Exceptions from 64-bit programs: Arm Architecture Reference Manual, D1.3.1.5.
    FIRST, LAST, SIZE = 0x400, 0x580, 0x80

    class ID:
        def __init__(self, sp, pc):
            self.sp, self.pc = sp, pc

    def __init__(self, base):
        super().__init__("lab-vectors")
        self.base = base

    def __call__(self, frame):
        pc = int(frame.read_register("pc"))
        if pc - self.base not in range(self.FIRST, self.LAST + 1, self.SIZE):
            return None
        sp = frame.read_register("SP_EL0")
        unwound = frame.create_unwind_info(self.ID(sp, frame.read_register("pc")))
        unwound.add_saved_register("sp", sp)
        unwound.add_saved_register("pc", frame.read_register("ELR_EL1"))
        for name in ["x%d" % n for n in range(31)]:
            unwound.add_saved_register(name, frame.read_register(name))
        return unwound


register_unwinder(None, Vectors(int(gdb.parse_and_eval("&vectors"))), replace=True)
