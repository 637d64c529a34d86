// Verifies the log of a bundle with the Go project's own transparency-log packages: signature, every entry, every hash tile, root,
// inclusion and consistency. It shares no code with Tallyproof. Usage: verify BUNDLE
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// bundle is a folder with log/checkpoint, log/vkeys and log/tile, in the layout of C2SP tlog-tiles.
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

// tree opens the checkpoint with the first key of log/vkeys.
func (b bundle) tree() tlog.Tree {
	vkey, _, _ := strings.Cut(string(b.read("vkeys")), "\n")
	verifier, err := note.NewVerifier(vkey)
	check(err)
	signed, err := note.Open(b.read("checkpoint"), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	require(len(lines) == 4 && lines[0] == verifier.Name(), "checkpoint is not three lines beginning with the key's name")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
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
	tree := b.tree()

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
	fmt.Printf("verified %d entries, %d hash tiles, root %v\n", tree.N, len(hashTiles), tree.Hash)
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
