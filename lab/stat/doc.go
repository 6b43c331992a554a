// Package stat holds the statistics of the lab: what k crashes in n trials say
// and what they do not, when to stop, and which axes of a matrix matter. It is
// pure and knows nothing of runs or files.
//
// Everything here supposes that the trials of a cell are independent and have
// the same rate. What fixes the number of trials decides the method: Wilson,
// ClopperPearson, Fisher and Stratified where it was fixed before the first one;
// Sequence and Anytime where a result could end it, be it by a Stop or by a
// person who watched.
package stat
