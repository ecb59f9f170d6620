package cloudinit

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// The image is a FAT12 file system, which every guest reads and which suits a few small files: the layout of
// Microsoft's "FAT: General Overview of On-Disk Format", 1.03. go-diskfs was considered; it stamps directory entries
// with the clock and loses a cluster, which fsck reports.
const (
	sectorSize = 512
	fatCopies  = 2
	// rootEntries is room enough for the label and three files with long names, and a whole number of sectors.
	rootEntries = 32
	rootSectors = rootEntries * entrySize / sectorSize
	entrySize   = 32
	// maxClusters keeps the file system FAT12: a reader tells FAT12 from FAT16 by the number of clusters alone.
	maxClusters = 4084
	endOfChain  = 0xfff
	// granularity, in sectors, makes every image a multiple of 64 KiB, which the block size of any storage divides.
	granularity = 128
	mediaFixed  = 0xf8
	// epoch is 1980-01-01, the first date that FAT knows: an image has no clock to tell another.
	epoch = 1<<5 | 1
)

// A file of the root directory. Its name is longer than eight letters and differs from the others in the first six.
type file struct {
	name    string
	content []byte
}

// shape is the geometry of a file system that holds certain files.
type shape struct {
	clusterSectors int // sectors in a cluster
	fatSectors     int // sectors in one copy of the allocation table
	sectors        int // sectors in all
}

func (s shape) clusterSize() int { return s.clusterSectors * sectorSize }

func (s shape) fatStart() int { return sectorSize }

func (s shape) rootStart() int { return s.fatStart() + fatCopies*s.fatSectors*sectorSize }

func (s shape) dataStart() int { return s.rootStart() + rootSectors*sectorSize }

// shapeFor finds the smallest clusters with which the files fit into what FAT12 can count.
func shapeFor(files []file) shape {
	for clusterSectors := 1; ; clusterSectors *= 2 {
		used := 0
		for _, f := range files {
			used += clusters(f, clusterSectors*sectorSize)
		}

		s := shape{clusterSectors: clusterSectors}
		// Sectors that the rounding adds may count as clusters too, so the table has an entry for each of them.
		s.fatSectors = ceil((2+used+granularity)*3, 2*sectorSize)
		s.sectors = ceil(s.dataStart()+used*s.clusterSize(), granularity*sectorSize) * granularity

		if (s.sectors*sectorSize-s.dataStart())/s.clusterSize() <= maxClusters {
			return s
		}
	}
}

func clusters(f file, clusterSize int) int { return ceil(len(f.content), clusterSize) }

func ceil(number, unit int) int { return (number + unit - 1) / unit }

// formatFAT makes a file system of that label (at most eleven letters) with the files in its root directory.
func formatFAT(label string, files []file) []byte {
	s := shapeFor(files)
	image := make([]byte, s.sectors*sectorSize)
	writeBootSector(image[:sectorSize], s, label)

	table := image[s.fatStart() : s.fatStart()+s.fatSectors*sectorSize]
	setEntry(table, 0, 0xf00|mediaFixed)
	setEntry(table, 1, endOfChain)

	root := image[s.rootStart():s.dataStart()]
	root = writeEntry(root, pad(label, 11), attributeLabel, 0, 0)
	next := 2

	for _, f := range files {
		first, count := next, clusters(f, s.clusterSize())
		if count == 0 {
			first = 0
		}

		copy(image[s.dataStart()+(next-2)*s.clusterSize():], f.content)

		for ; next < first+count; next++ {
			setEntry(table, next, next+1)
		}

		if count > 0 {
			setEntry(table, next-1, endOfChain)
		}

		short := pad(strings.ToUpper(f.name[:6])+"~1", 11)
		root = writeLongName(root, f.name, short)
		root = writeEntry(root, short, attributeArchive, first, len(f.content))
	}

	copy(image[s.fatStart()+len(table):], table)

	return image
}

func writeBootSector(sector []byte, s shape, label string) {
	copy(sector, "\xeb\x3c\x90"+"MSWIN4.1") // the jump and the name that the specification recommends
	binary.LittleEndian.PutUint16(sector[11:], sectorSize)
	sector[13] = byte(s.clusterSectors)
	binary.LittleEndian.PutUint16(sector[14:], 1) // reserved sectors: this one
	sector[16] = fatCopies
	binary.LittleEndian.PutUint16(sector[17:], rootEntries)

	if s.sectors < 1<<16 {
		binary.LittleEndian.PutUint16(sector[19:], uint16(s.sectors))
	} else {
		binary.LittleEndian.PutUint32(sector[32:], uint32(s.sectors))
	}

	sector[21] = mediaFixed
	binary.LittleEndian.PutUint16(sector[22:], uint16(s.fatSectors))
	binary.LittleEndian.PutUint16(sector[24:], 32) // sectors in a track, and heads: such that tracks come out even
	binary.LittleEndian.PutUint16(sector[26:], 4)
	sector[36] = 0x80 // drive number of a fixed disk
	sector[38] = 0x29 // what follows is a serial number, a label and a type
	copy(sector[43:], pad(label, 11)+pad("FAT12", 8))
	copy(sector[510:], "\x55\xaa")
}

// setEntry writes an entry of the allocation table, of which two share three bytes.
func setEntry(table []byte, cluster, value int) {
	at := cluster * 3 / 2
	if cluster%2 == 0 {
		table[at] = byte(value)
		table[at+1] |= byte(value >> 8)
	} else {
		table[at] |= byte(value << 4)
		table[at+1] = byte(value >> 4)
	}
}

const (
	attributeLabel    = 0x08
	attributeArchive  = 0x20
	attributeLongName = 0x0f
)

// writeEntry writes a directory entry and returns the room behind it.
func writeEntry(room []byte, short string, attribute byte, cluster, size int) []byte {
	copy(room, short)
	room[11] = attribute

	for _, date := range []int{16, 18, 24} { // created, accessed, modified
		binary.LittleEndian.PutUint16(room[date:], epoch)
	}

	binary.LittleEndian.PutUint16(room[26:], uint16(cluster))
	binary.LittleEndian.PutUint32(room[28:], uint32(size))

	return room[entrySize:]
}

// writeLongName writes the entries that give a short name its long one, the last piece first, and returns the room
// behind them.
func writeLongName(room []byte, name, short string) []byte {
	const letters = 13 // letters in an entry

	units := utf16.Encode([]rune(name))
	pieces := ceil(len(units), letters)

	if len(units)%letters != 0 {
		units = append(units, 0)
	}

	for len(units) < pieces*letters {
		units = append(units, 0xffff)
	}

	for piece := pieces; piece > 0; piece-- {
		room[0] = byte(piece)
		if piece == pieces {
			room[0] |= 0x40
		}

		room[11] = attributeLongName
		room[13] = checksum(short)

		for i, at := range []int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30} {
			binary.LittleEndian.PutUint16(room[at:], units[(piece-1)*letters+i])
		}

		room = room[entrySize:]
	}

	return room
}

// checksum ties the entries of a long name to their short name.
func checksum(short string) byte {
	var sum byte
	for i := range len(short) {
		sum = sum>>1 + sum<<7 + short[i]
	}

	return sum
}

func pad(text string, length int) string {
	return text + strings.Repeat(" ", length-len(text))
}
