package household

// planWater books a day's water.
func (p *planner) planWater() {
	for i, b := range p.habits.rhythms {
		if len(p.home[i]) == 0 {
			continue
		}
		p.toilet(b, p.home[i])
		p.wash(b, p.home[i])
		p.basin(b, p.home[i])
	}
	p.kitchen()
	p.laundry()
}

// toilet flushes: on getting up, before bed, in between, and at times at night.
func (p *planner) toilet(b rhythm, home []span) {
	p.flush(home[0].from+between(p.water, 2, 12), true)
	p.flush(home[len(home)-1].to-between(p.water, 3, 15), false)
	var hours float64
	for _, s := range home {
		hours += max(0, s.to-s.from) / 60
	}
	for range int(hours/4.5 + p.water.Float64()) {
		if at, ok := moment(p.water, home); ok {
			p.flush(at, likely(p.water, 0.3))
		}
	}
	night := 0.12
	if b.age == Senior {
		night = 0.6
	}
	if !b.nights && likely(p.water, night) {
		p.flush(between(p.water, 30, 330), false)
	}
}

// flush refills the tank, whole or, where it has two buttons, by half.
func (p *planner) flush(at float64, full bool) {
	ml := p.habits.flushML
	if p.habits.dualFlush && !full {
		ml *= 0.55
	}
	p.draw(cold, at, between(p.water, 45, 100), ml*between(p.water, 0.97, 1.03))
	p.mix(at+between(p.water, 0.3, 1), between(p.water, 8, 20),
		p.habits.thrift*between(p.water, 500, 1400), 0.25)
}

// wash is a shower, for children half the time a shallow bath.
func (p *planner) wash(b rhythm, home []span) {
	if !likely(p.water, b.showers) {
		return
	}
	at := home[0].from + between(p.water, 8, 30)
	if b.eveningShower {
		last := home[len(home)-1]
		at = max(last.from, last.to-between(p.water, 40, 110))
	}
	hotShare := 0.66 - 0.04*(1-p.winter)/2
	if b.age == Child && likely(p.water, 0.5) {
		p.mix(at, between(p.water, 300, 420), between(p.water, 55_000, 85_000), hotShare)
		return
	}
	minutes := p.habits.showerMin * between(p.water, 0.7, 1.4)
	if b.age == Child {
		minutes *= 0.75
	}
	p.mix(at, minutes*60, minutes*p.habits.showerMLPerMin, hotShare)
}

// basin is teeth, hands, a glass of water.
func (p *planner) basin(b rhythm, home []span) {
	teeth := []float64{home[0].from + between(p.water, 25, 45), home[len(home)-1].to - between(p.water, 8, 20)}
	for _, at := range teeth {
		p.mix(at, between(p.water, 30, 90), p.habits.thrift*between(p.water, 1000, 3500), 0.3)
	}
	for range 2 + p.water.IntN(5) {
		if at, ok := moment(p.water, home); ok {
			p.mix(at, between(p.water, 8, 40), p.habits.thrift*between(p.water, 400, 2000), 0.2)
		}
	}
}

// kitchen is cooking, dishes and cleaning.
func (p *planner) kitchen() {
	people := float64(len(p.habits.rhythms))
	for _, at := range p.meals() {
		cook := (1200 + 900*people) * p.habits.thrift
		p.mix(at, between(p.water, 60, 200), cook*between(p.water, 0.7, 1.3), 0.1)
		if p.habits.dishwasher {
			p.mix(at+40, 30, 1500*p.habits.thrift, 0.4)
			continue
		}
		dishes := (2500 + 3000*people) * p.habits.thrift
		p.mix(at+between(p.water, 35, 70), between(p.water, 180, 420), dishes*between(p.water, 0.7, 1.3), 0.7)
	}
	chores := 0.2
	if p.weekend {
		chores = 0.6
	}
	if at, ok := moment(p.water, p.somebody()); ok && likely(p.water, chores) {
		p.mix(at, between(p.water, 60, 240), p.habits.thrift*between(p.water, 6000, 16_000), 0.5)
	}
}

// meals are the minutes at which cooking begins: lunch where somebody is at
// home at noon, and dinner. Both programs of the day ask for them, so they
// depend on nothing but the rhythm.
func (p *planner) meals() []float64 {
	var meals []float64
	wanted := []float64{12*60 + 10, 18*60 + 50}
	if p.habits.nights {
		wanted = []float64{2 * 60, 16 * 60}
	}
	for _, s := range p.somebody() {
		for i, at := range wanted {
			at += float64((p.number*7+int(p.dwelling.ID[4])*13+i*5)%35) - 15
			if at >= s.from && at < s.to-20 {
				meals = append(meals, at)
			}
		}
	}
	return meals
}

// machines are the minutes at which the washing machine starts: in the same
// way by rhythm alone.
func (p *planner) machines() []float64 {
	week := p.habits.loadsPerWeek
	weight := 0.75 // of a weekday; the weekend has the rest
	if p.weekend {
		weight = 1.625
	}
	perDay := week / 7 * weight
	turn := mix(uint64(p.number), uint64(p.dwelling.ID[1])<<16|uint64(p.dwelling.ID[3])<<8|uint64(p.dwelling.ID[4]))
	runs := int(perDay + float64(turn%1000)/1000)
	home := p.somebody()
	var starts []float64
	for i := range min(runs, len(home)*2) {
		s := home[i%len(home)]
		at := s.from + (s.to-s.from)*(0.15+0.5*float64(turn>>(10+8*i)%256)/256)
		starts = append(starts, at)
	}
	return starts
}

// laundry fills the drum three times with cold water.
func (p *planner) laundry() {
	for _, at := range p.machines() {
		p.draw(cold, at+1, 150, between(p.water, 14_000, 20_000))
		p.draw(cold, at+45, 140, between(p.water, 14_000, 18_000))
		p.draw(cold, at+60, 140, between(p.water, 14_000, 18_000))
	}
	if !p.habits.dishwasher {
		return
	}
	if meals := p.meals(); len(meals) > 0 && p.dishesToday() {
		at := meals[len(meals)-1] + 60
		p.draw(cold, at+2, 60, 4500)
		p.draw(cold, at+50, 60, 4000)
		p.draw(cold, at+75, 60, 4000)
	}
}

// dishesToday reports whether the dishwasher runs: every day in a large
// household, less often in a small one.
func (p *planner) dishesToday() bool {
	return (p.number*5)%8 < 2+2*len(p.habits.rhythms)
}
