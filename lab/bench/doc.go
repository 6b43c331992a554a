// Package bench measures what the lab costs against the obvious alternative, as
// ratios within one run. `make bench` prints a line for each:
//
//	ratio <name> <value> (at most <limit>)
//
// and fails where one is over its limit. There is no code to use here.
package bench
