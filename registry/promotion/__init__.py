"""Promotion requests, reviews, waivers and stage transitions."""
