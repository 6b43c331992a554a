package qemu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
)

// qcow2Cluster is the format's usual unit of 64 KiB.
const qcow2Cluster = 1 << qcow2ClusterBits

const qcow2ClusterBits = 16

// qcow2Header is version 3 of the format (QEMU, docs/interop/qcow2.txt), in big
// endian.
type qcow2Header struct {
	Magic                    [4]byte
	Version                  uint32
	BackingOffset            uint64
	BackingSize              uint32
	ClusterBits              uint32
	Size                     uint64
	Encryption               uint32
	L1Entries                uint32
	L1Offset                 uint64
	RefcountTable            uint64
	RefcountTableClusters    uint32
	Snapshots                uint32
	SnapshotsOffset          uint64
	Incompatible             uint64
	Compatible, Autoclear    uint64
	RefcountOrder, HeaderLen uint32
}

// Create writes an empty disk of 1 MiB to the file: snapshots go beyond a disk's
// end. It saves the host a need for qemu-img.
func (s Snapshots) Create() error {
	// The clusters in order: header, table of refcount blocks, the one
	// refcount block, level 1 of the disk's table.
	const table, block, level1, clusters = 1, 2, 3, 4
	b := make([]byte, clusters*qcow2Cluster)
	var head bytes.Buffer
	h := qcow2Header{
		Magic: [4]byte{'Q', 'F', 'I', 0xfb}, Version: 3, ClusterBits: qcow2ClusterBits, Size: 1 << 20,
		L1Entries: 1, L1Offset: level1 * qcow2Cluster,
		RefcountTable: table * qcow2Cluster, RefcountTableClusters: 1, RefcountOrder: 4,
	}
	h.HeaderLen = uint32(binary.Size(h))
	binary.Write(&head, binary.BigEndian, h)
	copy(b, head.Bytes())
	binary.BigEndian.PutUint64(b[table*qcow2Cluster:], block*qcow2Cluster)
	for i := range clusters {
		binary.BigEndian.PutUint16(b[block*qcow2Cluster+2*i:], 1)
	}
	if err := os.WriteFile(s.File, b, 0o600); err != nil {
		return fmt.Errorf("make a file for snapshots: %w", err)
	}
	return nil
}
