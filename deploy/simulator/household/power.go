package household

// always books what draws whether people are there or not: standby, the fridge
// and the ventilation.
func (p *planner) always() {
	p.whole(power, p.habits.standbyW)
	if p.habits.extraW > 0 {
		p.whole(power, p.habits.extraW)
	}
	period := between(p.electric, 42, 65)
	share := 0.36 - 0.06*p.winter // warmer kitchens in summer
	for at := between(p.electric, 0, period); at < float64(p.length)/60_000-period; at += period {
		minutes := period * share * between(p.electric, 0.85, 1.15)
		p.draw(power, at, minutes*60, p.habits.fridgeW*minutes/60)
	}
}

// planPower books what people switch on.
func (p *planner) planPower() {
	p.lights()
	p.cook()
	p.screens()
	p.machinesRun()
	p.smallThings()
}

// run books an appliance of some watts from a minute of the clock on.
func (p *planner) run(at, minutes, watts float64) {
	if minutes > 0 {
		p.draw(power, at, minutes*60, watts*minutes/60)
	}
}

// lights burn where somebody is awake at home while it is dark, fewer of them
// late and early.
func (p *planner) lights() {
	for _, s := range p.somebody() {
		morning := min(s.to, p.rise+15) - s.from
		p.run(s.from, morning, p.habits.lightW*between(p.electric, 0.6, 0.9))
		from := max(s.from, p.set-20)
		p.run(from, s.to-from, p.habits.lightW*between(p.electric, 0.8, 1.2))
		if daylit := min(s.to, p.set-20) - max(s.from, p.rise+15); daylit > 0 {
			p.run(max(s.from, p.rise+15), daylit, p.habits.lightW*0.12) // bathroom and hall
		}
	}
}

// cook heats the hob or the oven for each meal, and the kettle in the morning.
func (p *planner) cook() {
	meals := p.meals()
	for i, at := range meals {
		wh := p.habits.cookWh * between(p.electric, 0.6, 1.3)
		if i < len(meals)-1 {
			wh *= 0.6 // a lighter lunch
		}
		minutes := between(p.electric, 18, 40)
		p.draw(power, at, minutes*60*0.4, wh*0.6) // full heat
		p.draw(power, at+minutes*0.4, minutes*60*0.6, wh*0.4)
	}
	for _, home := range p.home {
		if len(home) > 0 {
			p.run(home[0].from+between(p.electric, 10, 25), 4, 1600)
		}
	}
}

// screens are the television in the evening and, by person, a desk or a
// console.
func (p *planner) screens() {
	home := p.somebody()
	if len(home) == 0 {
		return
	}
	last := home[len(home)-1]
	from := max(last.from+10, last.to-between(p.electric, 150, 270))
	p.run(from, last.to-from-8, p.habits.televisionW)
	for i, b := range p.habits.rhythms {
		if at, ok := moment(p.electric, p.home[i]); ok && b.age != Senior {
			p.run(at, between(p.electric, 40, 180), p.habits.deskW)
		}
	}
}

// machinesRun are the washing machine, which heats first and turns then, the
// dryer after it, and the dishwasher.
func (p *planner) machinesRun() {
	for _, at := range p.machines() {
		p.run(at+3, 17, 2000)
		p.run(at+20, 60, between(p.electric, 150, 260))
		if p.habits.dryer && likely(p.electric, 0.4+0.25*p.winter) {
			p.run(at+95, 70, between(p.electric, 1300, 1700))
		}
	}
	if !p.habits.dishwasher || !p.dishesToday() {
		return
	}
	if meals := p.meals(); len(meals) > 0 {
		at := meals[len(meals)-1] + 60
		p.run(at+4, 16, 1900)
		p.run(at+20, 40, 80)
		p.run(at+60, 12, 1900)
	}
}

// smallThings are the vacuum cleaner, the iron, the hair dryer.
func (p *planner) smallThings() {
	home := p.somebody()
	for range len(p.habits.rhythms) + 1 {
		if at, ok := moment(p.electric, home); ok && likely(p.electric, 0.5) {
			p.run(at, between(p.electric, 3, 18), between(p.electric, 600, 1600))
		}
	}
}
