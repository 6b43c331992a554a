package journal

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A run's folder can come from anywhere, and run.json names folders and programs of
// the host that made it. What this user's labs have written on this host they
// recognise by a MAC (HMAC-SHA-256) over the file, with a key of the user's own: it
// is the first member of the JSON object and covers every other byte.

// keySize is the length of the key in bytes, that of the MAC (RFC 2104, section 3).
const keySize = sha256.Size

// KeyFile returns the path of the key that runs are recognised by. Labs make it when
// they make their first run.
func KeyFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ghostlab", "run.key"), nil
}

// readKey returns the user's key. The error is fs.ErrNotExist where there is none
// yet, and says what is wrong with one that others could have read or made.
func readKey() ([]byte, error) {
	path, err := KeyFile()
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || owner == nil || int(owner.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("%s: want a file that only you can read, got %s", path, info.Mode())
	}
	key, err := os.ReadFile(path)
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("%s: want %d bytes, got %d", path, keySize, len(key))
	}
	return key, err
}

// ensureKey returns the user's key, which is made where there is none.
func ensureKey() ([]byte, error) {
	key, err := readKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	path, err := KeyFile()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	key = make([]byte, keySize)
	rand.Read(key)
	f, err := os.CreateTemp(filepath.Dir(path), "new-") // 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	// The first of several labs wins; the others take its key.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey()
}

// sealHead is what a sealed file begins with, up to the MAC in hexadecimal, and
// sealTail what follows that.
const (
	sealHead = "{\n  \"mac\": \""
	sealTail = "\","
)

// seal returns a JSON object with the MAC as its first member. name is the file's.
func seal(key []byte, name string, object []byte) []byte {
	sealed := append([]byte(sealHead), macOf(key, name, object)...)
	return append(append(sealed, sealTail...), object[1:]...)
}

// opens says whether the text of a file is one that seal has made with the key.
func opens(key []byte, name string, text []byte) bool {
	text, ok := bytes.CutPrefix(text, []byte(sealHead))
	if !ok || len(text) < 2*sha256.Size {
		return false
	}
	mac, rest := text[:2*sha256.Size], text[2*sha256.Size:]
	rest, ok = bytes.CutPrefix(rest, []byte(sealTail))
	return ok && hmac.Equal(mac, macOf(key, name, append([]byte("{"), rest...)))
}

// macOf is the MAC of an object in hexadecimal. The file's name keeps one kind of
// file from being taken for another.
func macOf(key []byte, name string, object []byte) []byte {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00", name)
	h.Write(object)
	return hex.AppendEncode(nil, h.Sum(nil))
}

// authentic says whether the text of a file is one that a lab of this user wrote.
func authentic(name string, text []byte) bool {
	key, err := readKey()
	return err == nil && opens(key, name, text)
}

// encode returns the JSON text of an object, for people too.
func encode(object any) ([]byte, error) {
	text, err := json.MarshalIndent(object, "", "  ")
	return append(text, '\n'), err
}

// sealed returns the text of a file with the MAC of this user. Where there can be no
// key, as without a home, it is the text alone: then nobody recognises the file, and
// CheckKey says why.
func sealed(name string, text []byte) []byte {
	if key, err := ensureKey(); err == nil {
		return seal(key, name, text)
	}
	return text
}

// CheckKey says why this user's runs will not be recognised; nil when they will.
func CheckKey() error {
	if _, err := ensureKey(); err != nil {
		return fmt.Errorf("runs that are made now will not be recognised as yours: %w", err)
	}
	return nil
}
