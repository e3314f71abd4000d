package workshop

import (
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// What the area's words are called on the pages.
var (
	states = map[computers.State]string{
		computers.Received: "workshop.state_received", computers.Wiping: "workshop.state_wiping", computers.Testing: "workshop.state_testing",
		computers.ToRepair: "workshop.state_to_repair", computers.Ready: "workshop.state_ready", computers.Reserved: "workshop.state_reserved",
		computers.Sold: "workshop.state_sold", computers.InUse: "workshop.state_in_use", computers.InRepair: "workshop.state_in_repair",
		computers.Returned: "workshop.state_returned", computers.SpareParts: "workshop.state_spare_parts", computers.Recycled: "workshop.state_recycled",
	}
	moves = map[computers.State]string{
		computers.Received: "workshop.to_received", computers.Wiping: "workshop.to_wiping", computers.Testing: "workshop.to_testing",
		computers.ToRepair: "workshop.to_repair", computers.Ready: "workshop.to_ready", computers.SpareParts: "workshop.to_spare_parts",
		computers.Recycled: "workshop.to_recycled",
	}
	kinds  = map[computers.Kind]string{computers.Used: "workshop.kind_used", computers.New: "workshop.kind_new"}
	builds = map[computers.Form]string{computers.Desktop: "workshop.form_desktop", computers.Laptop: "workshop.form_laptop"}
	media  = map[computers.Medium]string{
		computers.HDD: "workshop.medium_hdd", computers.SSD: "workshop.medium_ssd", computers.NVMe: "workshop.medium_nvme",
		computers.EMMC: "workshop.medium_emmc", computers.OtherMedium: "workshop.medium_other",
	}
	levels = map[computers.Level]string{
		computers.Purge: "workshop.level_purge", computers.Clear: "workshop.level_clear", computers.Destroy: "workshop.level_destroy",
	}
	results  = map[computers.Result]string{computers.Passed: "workshop.wipe_passed", computers.Failed: "workshop.wipe_failed"}
	outcomes = map[computers.Outcome]string{computers.Pass: "workshop.pass", computers.Fail: "workshop.fail", computers.None: "workshop.na"}
	grades   = map[computers.Grade]string{
		computers.GradeA: "workshop.grade_a", computers.GradeB: "workshop.grade_b", computers.GradeC: "workshop.grade_c", computers.GradeD: "workshop.grade_d",
	}
	payments = map[computers.Payment]string{
		computers.Cash: "workshop.pay_cash", computers.Card: "workshop.pay_card", computers.Transfer: "workshop.pay_transfer",
		computers.Cheque: "workshop.pay_cheque", computers.NoMoney: "workshop.pay_none",
	}
	covers = map[computers.Cover]string{
		computers.ByLaw: "workshop.cover_legal", computers.ByProgramme: "workshop.cover_programme", computers.NotCovered: "workshop.cover_none",
	}
	ticketStates = map[computers.TicketState]string{
		computers.TicketOpen: "workshop.ticket_opened", computers.TicketDiagnosed: "workshop.ticket_diagnosed", computers.TicketParts: "workshop.ticket_parts",
		computers.TicketTenant: "workshop.ticket_tenant", computers.TicketRepaired: "workshop.ticket_repaired", computers.TicketReplaced: "workshop.ticket_replaced",
		computers.TicketRefused: "workshop.ticket_refused", computers.TicketGivenBack: "workshop.ticket_given_back", computers.TicketClosed: "workshop.ticket_closed",
	}
	ticketMoves = map[computers.TicketState]string{
		computers.TicketDiagnosed: "workshop.do_diagnosed", computers.TicketParts: "workshop.do_parts", computers.TicketTenant: "workshop.do_tenant",
		computers.TicketRepaired: "workshop.do_repaired", computers.TicketReplaced: "workshop.do_replaced", computers.TicketRefused: "workshop.do_refused",
		computers.TicketGivenBack: "workshop.do_given_back", computers.TicketClosed: "workshop.do_closed",
	}
	happened = map[computers.What]string{
		computers.TakenIn: "workshop.was_taken_in", computers.DriveAdded: "workshop.was_drive_added", computers.Wiped: "workshop.was_wiped",
		computers.Tested: "workshop.was_tested", computers.Graded: "workshop.was_graded", computers.DefectNoted: "workshop.was_defect_noted",
		computers.DefectMended: "workshop.was_defect_mended", computers.Moved: "workshop.was_moved", computers.ReservedFor: "workshop.was_reserved",
		computers.ReleasedHold: "workshop.was_released", computers.HoldExpired: "workshop.was_expired", computers.SoldTo: "workshop.was_sold",
		computers.HandedOver: "workshop.was_handed_over", computers.TicketOpened: "workshop.was_ticket_opened", computers.RepairBegun: "workshop.was_repair_begun",
		computers.GivenBack: "workshop.was_given_back", computers.TakenBack: "workshop.was_taken_back", computers.ExchangedFor: "workshop.was_exchanged",
		computers.ExchangeGiven: "workshop.was_given_instead",
	}
	items = map[string]string{
		"starts": "workshop.test_starts", "storage_health": "workshop.test_storage_health", "memory": "workshop.test_memory", "screen": "workshop.test_screen",
		"keyboard": "workshop.test_keyboard", "pointer": "workshop.test_pointer", "usb": "workshop.test_usb", "network": "workshop.test_network",
		"sound": "workshop.test_sound", "power_supply": "workshop.test_power_supply", "system_installed": "workshop.test_system_installed",
		"cleaned": "workshop.test_cleaned", "battery": "workshop.test_battery", "hinge": "workshop.test_hinge", "wifi": "workshop.test_wifi",
		"camera": "workshop.test_camera", "bios_free": "workshop.test_bios_free",
	}
)

// options lists the answers of a field in the order of all, each in words.
func options[T ~string](l web.Language, all []T, words map[T]string) []option {
	list := make([]option, len(all))
	for i, one := range all {
		list[i] = option{ID: string(one), Name: l.T(words[one])}
	}
	return list
}
