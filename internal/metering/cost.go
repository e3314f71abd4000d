package metering

// A Bill is where a cost stands: never are the two added under one name.
type Bill string

// The bills.
const (
	Charges  Bill = "charges"  // the landlord's, shared among the homes (fr. charges locatives)
	Supplier Bill = "supplier" // of the household's own contract; never called charges
)

// A CostPart says which of the things that one unit costs a line is about.
type CostPart string

// The parts. Hot water is water and the heat that warms it.
const (
	CostOfUse   CostPart = "use"
	CostOfWater CostPart = "water"
	CostOfHeat  CostPart = "heat"
)

// A CostLine is what a part of a consumption costs at one price.
type CostLine struct {
	Of CostPart `json:"of"`
	// From and To are the first day at this price and the first after it, as
	// YYYY-MM-DD.
	From string `json:"from"`
	To   string `json:"to"`
	// Used is in the unit of the meter. Estimated says that the index on the day
	// of the change is not known, so that the days share what was used evenly.
	Used      Amount `json:"used"`
	Estimated bool   `json:"estimated,omitempty"`
	Price     Price  `json:"price"`
	// WhPerM3 turns a volume into the energy that the price is for; 0 for none.
	WhPerM3      int64  `json:"wh_per_m3,omitempty"`
	SharePercent int    `json:"share_percent"` // of the price that follows the meter, 0 to 100
	MicroEUR     int64  `json:"cost_micro_eur"`
	Bill         Bill   `json:"bill"`
	Source       string `json:"source,omitempty"` // of the price
	// Formula is the arithmetic with its figures, as in
	// "12.400 kWh x 0.194000 EUR/kWh x 70 %".
	Formula string `json:"formula"`
}

const microPerCent = 10_000

// Cents is what the line costs, rounded half up to the cent: so it is shown, and
// so the lines of a bill are added up.
func (l CostLine) Cents() int64 { return (l.MicroEUR + microPerCent/2) / microPerCent }

// A Cost is what a consumption costs the household: the share of the price that
// follows its meter. A subscription is no part of it. The cents of a bill are those of
// its lines, so that who adds up what is shown finds the same.
type Cost struct {
	ChargesCents  int64      `json:"charges_cents"`
	SupplierCents int64      `json:"supplier_cents"`
	Lines         []CostLine `json:"lines"`
}

// A NoCostReason is why a consumption has no amount in euros.
type NoCostReason string

// The reasons.
const (
	NoReading    NoCostReason = "no_reading"    // nothing is known of the period
	NotVerified  NoCostReason = "not_verified"  // a meter has not passed its dial and tap check
	PriceMissing NoCostReason = "price_missing" // no price is known for a part of the period
	NotPriceable NoCostReason = "not_priceable" // what is measured is not sold, as a temperature
	NotPlausible NoCostReason = "not_plausible" // the figure is too large to be one
)

// NoCost says why there is no amount, and for which days [From, To) where it is
// not for all; they are empty then.
type NoCost struct {
	Reason NoCostReason `json:"reason"`
	From   string       `json:"from,omitempty"`
	To     string       `json:"to,omitempty"`
}
