package idle

import (
	"os"
	"testing"
)

func TestSkipped(t *testing.T) { t.Skip("the moon is full") }

func TestLeaves(*testing.T) { os.Exit(0) }

func TestFails(t *testing.T) { t.Error("as it should") }
