// Verifies the log of a bundle with the Go project's own transparency-log packages: signature, every entry, every hash tile, root,
// inclusion and consistency; and the cosignatures of the witnesses in log/policy, by the text of C2SP tlog-cosignature. It shares no code with Tallyproof. Usage: verify BUNDLE
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// bundle is a folder with log/checkpoint, log/vkeys, log/policy and log/tile, in the layout of C2SP tlog-tiles.
type bundle string

func (b bundle) read(path string) []byte {
	data, err := os.ReadFile(filepath.Join(string(b), "log", path))
	check(err)
	return data
}

// tile reads a tile; Go names tiles by height too, and calls entries data.
func (b bundle) tile(t tlog.Tile) []byte {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return b.read("tile/" + path)
}

func (b bundle) Height() int                     { return tileHeight }
func (b bundle) SaveTiles([]tlog.Tile, [][]byte) {}
func (b bundle) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		data = append(data, b.tile(t))
	}
	return data, nil
}

// cosigner verifies the cosignatures of one witness, by Ed25519 or by ML-DSA-44. The note package knows no such keys.
type cosigner struct {
	name   string
	hash   uint32
	verify func(text, time, signature []byte) bool
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	require(len(parts) == 3, "not a verifier key: "+vkey)
	id, err := hex.DecodeString(parts[1])
	check(err)
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	check(err)
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	require(bytes.Equal(id, digest[:4]), "the key ID is not that of the key: "+vkey)
	hash := binary.BigEndian.Uint32(id)
	if key[0] == 6 {
		public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key[1:])
		check(err)
		return cosigner{parts[0], hash, func(text, time, signature []byte) bool {
			return mldsa.Verify(public, cosignedMessage(parts[0], string(text), time), signature, nil) == nil
		}}
	}
	require(len(key) == 33 && key[0] == 4, "not a cosigner's key: "+vkey)
	return cosigner{parts[0], hash, func(text, time, signature []byte) bool {
		message := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(time), text)
		return ed25519.Verify(key[1:], message, signature)
	}}
}

// cosignedMessage is what an ML-DSA-44 witness signs of a whole tree.
func cosignedMessage(name, text string, time []byte) []byte {
	lines := strings.Split(text, "\n")
	size, err := strconv.ParseUint(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	message := append([]byte("subtree/v1\n\x00"), byte(len(name)))
	message = append(append(message, name...), time...)
	message = append(append(message, byte(len(lines[0]))), lines[0]...)
	message = binary.BigEndian.AppendUint64(message, 0)
	return append(binary.BigEndian.AppendUint64(message, size), root...)
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(text, signature []byte) bool {
	return len(signature) > 8 && signature[0] < 0x80 && c.verify(text, signature[:8], signature[8:])
}

// witnesses are the cosigners that log/policy names.
func (b bundle) witnesses() (witnesses []note.Verifier) {
	for _, line := range strings.Split(string(b.read("policy")), "\n") {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "witness" {
			witnesses = append(witnesses, newCosigner(words[2]))
		}
	}
	return witnesses
}

// tree opens the checkpoint with the first key of log/vkeys, and all other signatures on it with the witnesses' keys.
func (b bundle) tree() (tree tlog.Tree, cosignatures int) {
	vkey, _, _ := strings.Cut(string(b.read("vkeys")), "\n")
	verifier, err := note.NewVerifier(vkey)
	check(err)
	checkpoint := b.read("checkpoint")
	signed, err := note.Open(checkpoint, note.VerifierList(verifier))
	check(err)
	require(len(signed.Sigs) == 1, "not one signature of the log")
	cosigned, err := note.Open(checkpoint, note.VerifierList(append(b.witnesses(), verifier)...))
	check(err)
	require(len(cosigned.UnverifiedSigs) == 0, "a signature of neither the log nor a witness of log/policy")
	lines := strings.Split(signed.Text, "\n")
	require(len(lines) == 4 && lines[0] == verifier.Name(), "checkpoint is not three lines beginning with the key's name")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}, len(cosigned.Sigs) - 1
}

// stored holds all hashes of the tree, recomputed from the entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	for _, i := range indexes {
		hashes = append(hashes, s[i])
	}
	return hashes, nil
}

func (s *stored) appendBundle(first int64, data []byte, width int) {
	for i := range int64(width) {
		require(len(data) >= 2, "entry bundle is cut short")
		size := 2 + int(binary.BigEndian.Uint16(data))
		require(len(data) >= size, "entry is cut short")
		hashes, err := tlog.StoredHashes(first+i, data[2:size], *s)
		check(err)
		*s = append(*s, hashes...)
		data = data[size:]
	}
	require(len(data) == 0, "bytes follow the last entry of a bundle")
}

func main() {
	require(len(os.Args) == 2, "usage: verify BUNDLE")
	b := bundle(os.Args[1])
	tree, cosignatures := b.tree()

	var own stored
	hashTiles := tlog.NewTiles(tileHeight, 0, tree.N)
	for _, t := range hashTiles {
		if t.L == 0 {
			t.L = -1
			own.appendBundle(t.N<<tileHeight, b.tile(t), t.W)
		}
	}
	root, err := tlog.TreeHash(tree.N, own)
	check(err)
	require(root == tree.Hash, "the entries do not have the checkpoint's root")
	for _, t := range hashTiles {
		want, err := tlog.ReadTileData(t, own)
		check(err)
		require(bytes.Equal(b.tile(t), want), "wrong hashes in "+t.Path())
	}

	published := tlog.TileHashReader(tree, b)
	for step := int64(0); step < 20 && tree.N > 0; step++ {
		i := step * (tree.N - 1) / 19
		leaf, err := published.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		check(err)
		require(leaf[0] == own[tlog.StoredHashIndex(0, i)], "leaf hash of another entry")
		inclusion, err := tlog.ProveRecord(tree.N, i, published)
		check(err)
		check(tlog.CheckRecord(inclusion, tree.N, tree.Hash, i, leaf[0]))
		oldRoot, err := tlog.TreeHash(i+1, own)
		check(err)
		consistency, err := tlog.ProveTree(tree.N, i+1, published)
		check(err)
		check(tlog.CheckTree(consistency, tree.N, tree.Hash, i+1, oldRoot))
	}
	fmt.Printf("verified %d entries, %d hash tiles, %d cosignatures, root %v\n", tree.N, len(hashTiles), cosignatures, tree.Hash)
}

func require(holds bool, problem string) {
	if !holds {
		fmt.Fprintln(os.Stderr, problem)
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		require(false, err.Error())
	}
}
