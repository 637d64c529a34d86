// Verifies the log of a bundle with the Go project's own transparency-log packages: signature, every entry, every hash tile, root,
// inclusion and consistency; the cosignatures of the witnesses in log/policy, by the text of C2SP tlog-cosignature; and the log proofs
// in proofs/, if there are any. Then again with one bit flipped, for every tile, and for many bits of checkpoint and proofs: each time
// it has to fail. It shares no code with Tallyproof. Usage: verify BUNDLE
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

// bundle is a folder with log/checkpoint, log/vkeys, log/policy and log/tile, in the layout of C2SP tlog-tiles, of which one bit may be
// read as its opposite.
type bundle struct {
	root    string
	flipped string
	bit     int
}

func (b bundle) read(path string) []byte {
	data, err := os.ReadFile(filepath.Join(b.root, path))
	check(err)
	if path == b.flipped {
		data[b.bit/8] ^= 1 << (b.bit % 8)
	}
	return data
}

// tilePath is where a tile stands; Go names tiles by height too, and calls entries data.
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "log/tile/" + path
}

func (b bundle) tile(t tlog.Tile) []byte { return b.read(tilePath(t)) }

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
	for _, line := range strings.Split(string(b.read("log/policy")), "\n") {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "witness" {
			witnesses = append(witnesses, newCosigner(words[2]))
		}
	}
	return witnesses
}

// open opens a checkpoint with the first key of log/vkeys, and all other signatures on it with the witnesses' keys.
func (b bundle) open(checkpoint []byte) (tree tlog.Tree, cosignatures int) {
	vkey, _, _ := strings.Cut(string(b.read("log/vkeys")), "\n")
	verifier, err := note.NewVerifier(vkey)
	check(err)
	signed, err := note.Open(checkpoint, note.VerifierList(verifier))
	check(err)
	require(len(signed.Sigs) == 1, "not one signature of the log")
	cosigned, err := note.Open(checkpoint, note.VerifierList(append(b.witnesses(), verifier)...))
	check(err)
	require(len(cosigned.UnverifiedSigs) == 0, "a signature of neither the log nor a witness of log/policy")
	for _, signature := range cosigned.Sigs {
		// The note package takes base64 in several spellings.
		_, err := base64.StdEncoding.Strict().DecodeString(signature.Base64)
		check(err)
	}
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

// verify checks everything; it panics where something does not hold.
func (b bundle) verify() string {
	tree, cosignatures := b.open(b.read("log/checkpoint"))
	proofs := b.proofs(".tlog-proof")
	for _, path := range proofs {
		b.verifyProof(path)
	}

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
	return fmt.Sprintf("verified %d entries, %d hash tiles, %d cosignatures, %d proofs, root %v", tree.N, len(hashTiles), cosignatures, len(proofs), tree.Hash)
}

// proofs are the files in proofs/ with this ending.
func (b bundle) proofs(ending string) (paths []string) {
	found, err := filepath.Glob(filepath.Join(b.root, "proofs", "*"+ending))
	check(err)
	for _, path := range found {
		paths = append(paths, "proofs/"+filepath.Base(path))
	}
	return paths
}

// verifyProof checks a C2SP tlog-proof of the entry beside it.
func (b bundle) verifyProof(path string) {
	text := b.read(path)
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	require(ok && len(lines) >= 2 && lines[0] == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
	var index int64
	_, err := fmt.Sscanf(lines[1], "index %d", &index)
	check(err)
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		hashes = append(hashes, hash)
	}
	again := fmt.Sprintf("%s\nindex %d\n", lines[0], index)
	for _, hash := range hashes {
		again += hash.String() + "\n"
	}
	require(again == head+"\n", "the proof is not in its one form")
	tree, _ := b.open([]byte(checkpoint))
	leaf := tlog.RecordHash(b.read(strings.TrimSuffix(path, ".tlog-proof") + ".entry"))
	check(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, leaf))
}

// fails says whether the bundle does not verify with one bit of a file flipped.
func (b bundle) fails(path string, bit int) (failed bool) {
	defer func() { failed = recover() != nil }()
	b.flipped, b.bit = path, bit
	b.verify()
	return false
}

// flips verifies with one bit flipped, again and again, and counts how often.
func (b bundle) flips() (count int) {
	seed := uint32(1)
	try := func(path string, times int) {
		about, err := os.Stat(filepath.Join(b.root, path))
		check(err)
		for range times {
			if about.Size() == 0 {
				return
			}
			seed = seed*1664525 + 1013904223
			bit := int(seed>>3) % int(about.Size()*8)
			require(b.fails(path, bit), fmt.Sprintf("bit %d of %s was flipped, and everything still verified", bit, path))
			count++
		}
	}
	try("log/checkpoint", 300)
	for _, proof := range b.proofs(".tlog-proof") {
		try(proof, 40)
		try(strings.TrimSuffix(proof, ".tlog-proof")+".entry", 10)
	}
	tree, _ := b.open(b.read("log/checkpoint"))
	for _, t := range tlog.NewTiles(tileHeight, 0, tree.N) {
		try(tilePath(t), 1)
		if t.L == 0 {
			t.L = -1
			try(tilePath(t), 1)
		}
	}
	return count
}

func main() {
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Fprintln(os.Stderr, problem)
			os.Exit(1)
		}
	}()
	require(len(os.Args) == 2, "usage: verify BUNDLE")
	b := bundle{root: os.Args[1]}
	fmt.Println(b.verify())
	fmt.Printf("%d times with one bit flipped: none verified\n", b.flips())
}


func require(holds bool, problem string) {
	if !holds {
		panic(problem)
	}
}

func check(err error) {
	if err != nil {
		require(false, err.Error())
	}
}
