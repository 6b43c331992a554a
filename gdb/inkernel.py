class InKernel(gdb.Command):
    """Carry out a command as if the CPU were in the kernel.

Where a guest is stopped in its program, memory is what the program may see, and
expressions are Go's: the kernel's lx- commands need its own memory and C.

in-kernel lx-ps"""

    # PSTATE of the kernel, EL1h with interrupts masked.
    STATE = 0x3c5

    def __init__(self):
        super().__init__("in-kernel", gdb.COMMAND_DATA)

    def invoke(self, command, from_tty):
        state = int(gdb.parse_and_eval("$cpsr")) & 0xffffffff
        language = gdb.parameter("language")
        gdb.execute("set language c", to_string=True)  # it warns
        try:
            gdb.execute("set var $cpsr = %d" % (self.STATE if state & 0xf == 0 else state))
            gdb.execute(command, from_tty)
        finally:
            gdb.execute("set var $cpsr = %d" % state)
            gdb.execute("set language %s" % language)


InKernel()
