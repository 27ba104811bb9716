-- /// asset
-- layer = "gold"
-- group = "punctuality"
-- owners = ["operations@flights.example"]
-- parameters = { flights_min = 365 }
-- ///
-- Routes of at least a flight a day, the least punctual first, with the name of where they go (null beyond the mainland).
select
    r.origin,
    r.dest,
    a.name as destination,
    sum(r.flights)::bigint as flights,
    round(100.0 * sum(r.late) / sum(r.arrived), 2) as late_percent,
    round(sum(r.arr_delay_min) / sum(r.arrived), 2) as mean_arr_delay_min
from gold.route_days r
left join silver.airports a on a.airport = r.dest
group by all
having sum(r.flights) >= :flights_min
order by late_percent desc, r.origin, r.dest
