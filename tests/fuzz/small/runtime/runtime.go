// Package runtime stands in for the real one: what a linker looks for in it, and nothing else. What
// else compiled code may call is written by bases.py, as functions that return.
package runtime

import (
	"internal/abi"
	"internal/runtime/maps"
	"unsafe"
)

type _type = abi.Type

type eface struct {
	_type *_type
	data  unsafe.Pointer
}

type iface struct {
	tab  *abi.ITab
	data unsafe.Pointer
}

type stringStructDWARF struct {
	str *byte
	len int
}

type slice struct {
	array unsafe.Pointer
	len   int
	cap   int
}

type hchan struct {
	qcount       uint
	recvq, sendq waitq
}
type sudog struct{ elem unsafe.Pointer }
type waitq struct{ first, last *sudog }

type pcHeader struct{ magic uint32 }
type functab struct{ entryoff, funcoff uint32 }
type textsect struct{ vaddr, end, baseaddr uintptr }
type ptabEntry struct{ name, typ int32 }

type modulehash struct {
	modulename   string
	linktimehash string
	runtimehash  *string
}

type initTask struct {
	state uint32
	nfns  uint32
}

type bitvector struct {
	n        int32
	bytedata *uint8
}

type moduledata struct {
	pcHeader     *pcHeader
	funcnametab  []byte
	cutab        []uint32
	filetab      []byte
	pctab        []byte
	pclntable    []byte
	ftab         []functab
	findfunctab  uintptr
	minpc, maxpc uintptr

	text, etext                uintptr
	noptrdata, enoptrdata      uintptr
	data, edata                uintptr
	bss, ebss                  uintptr
	noptrbss, enoptrbss        uintptr
	covctrs, ecovctrs          uintptr
	end, gcdata, gcbss         uintptr
	types, typedesclen, etypes uintptr
	itaboffset, itabsize       uintptr
	rodata                     uintptr
	gofunc                     uintptr
	epclntab                   uintptr

	textsectmap []textsect
	ptab        []ptabEntry

	pluginpath string
	pkghashes  []modulehash
	inittasks  []*initTask

	modulename   string
	modulehashes []modulehash

	hasmain uint8
	bad     bool

	gcdatamask, gcbssmask bitvector

	typemap unsafe.Pointer

	next *moduledata
}

var (
	firstmoduledata   moduledata
	lastmoduledatap   *moduledata
	runtime_inittasks []*initTask
	buildVersion      string
	modinfo           string
	islibrary         bool
	zerobase          uintptr
	writeBarrier      struct{ enabled bool }
)

//go:linkname main_main main.main
func main_main()

// start is what the entry calls. It keeps types, and functions that compiled code calls.
func start() {
	for i, value := range asked {
		keep = value
		maps.Types[divide(i, len(asked), list)] = value
	}
	main_main()
}

var list = []int{1, 2}

//go:noinline
func divide(x, y int, list []int) int { return list[x] / y }

// asked are those that debug information asks for.
var asked = [...]any{
	uintptr(0), unsafe.Pointer(nil), eface{}, iface{}, stringStructDWARF{}, slice{}, hchan{}, sudog{}, waitq{},
	abi.Type{}, abi.ArrayType{}, abi.ChanType{}, abi.FuncType{}, abi.MapType{}, abi.PtrType{},
	abi.SliceType{}, abi.StructType{}, abi.InterfaceType{}, abi.ITab{}, abi.Imethod{},
}

var (
	emptyTypeAssertCache      = abi.TypeAssertCache{Mask: 0}
	emptyInterfaceSwitchCache = abi.InterfaceSwitchCache{Mask: 0}
)

var keep any
