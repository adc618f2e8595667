-- The demo company: people, their jobs, departments and dependents. Every name and number is invented.
-- Run once, by the owner of the database, in an empty schema; hr_demo.py does.

create schema hr_demo_db;
set local search_path = hr_demo_db;

create table regions (
  region_id int primary key,
  region_name text not null unique
);
comment on table regions is 'Parts of the world in which the company works.';
comment on column regions.region_id is 'Number of the region.';
comment on column regions.region_name is 'Name of the region.';

create table countries (
  country_id char(2) primary key,
  country_name text not null unique,
  region_id int not null references regions
);
comment on table countries is 'Countries, each in one region.';
comment on column countries.country_id is 'Two-letter ISO 3166 code of the country.';
comment on column countries.country_name is 'Name of the country in English.';
comment on column countries.region_id is 'The region that the country belongs to.';

create table locations (
  location_id int primary key,
  street_address text,
  postal_code text,
  city text not null,
  state_province text,
  country_id char(2) not null references countries
);
comment on table locations is 'Addresses of the offices and warehouses of the company.';
comment on column locations.location_id is 'Number of the location.';
comment on column locations.street_address is 'House number and street.';
comment on column locations.postal_code is 'Postal code as written in its country.';
comment on column locations.city is 'City of the location.';
comment on column locations.state_province is 'State or province, where the country has them.';
comment on column locations.country_id is 'The country that the location is in.';

create table departments (
  department_id int primary key,
  department_name text not null unique,
  location_id int references locations
);
comment on table departments is 'Departments of the company, each at one location.';
comment on column departments.department_id is 'Number of the department.';
comment on column departments.department_name is 'Name of the department, such as Sales.';
comment on column departments.location_id is 'The location where the department sits.';

create table jobs (
  job_id int primary key,
  job_title text not null unique,
  min_salary numeric(8, 2),
  max_salary numeric(8, 2),
  check (min_salary <= max_salary)
);
comment on table jobs is 'Jobs that exist in the company, with their salary ranges.';
comment on column jobs.job_id is 'Number of the job.';
comment on column jobs.job_title is 'Title of the job, such as Accountant.';
comment on column jobs.min_salary is 'Lowest monthly salary for the job, in US dollars.';
comment on column jobs.max_salary is 'Highest monthly salary for the job, in US dollars.';

create table employees (
  employee_id int primary key,
  first_name text,
  last_name text not null,
  email text not null unique,
  phone_number text,
  hire_date date not null,
  job_id int not null references jobs,
  salary numeric(8, 2) not null check (salary > 0),
  manager_id int references employees,
  department_id int references departments
);
create index on employees (job_id);
create index on employees (manager_id);
create index on employees (department_id);
comment on table employees is 'Everyone who works for the company, one row per employee.';
comment on column employees.employee_id is 'Number of the employee.';
comment on column employees.first_name is 'Given name.';
comment on column employees.last_name is 'Family name.';
comment on column employees.email is 'Work e-mail address.';
comment on column employees.phone_number is 'Work phone number, when there is one.';
comment on column employees.hire_date is 'First day at the company.';
comment on column employees.job_id is 'The job that the employee does.';
comment on column employees.salary is 'Monthly salary before tax, in US dollars.';
comment on column employees.manager_id is 'The employee to whom this one reports; empty for the president.';
comment on column employees.department_id is 'The department that the employee works in.';

create table dependents (
  dependent_id int primary key,
  first_name text not null,
  last_name text not null,
  relationship text not null check (relationship in ('Child', 'Spouse')),
  employee_id int not null references employees
);
create index on dependents (employee_id);
comment on table dependents is 'Family members who depend on an employee.';
comment on column dependents.dependent_id is 'Number of the dependent.';
comment on column dependents.first_name is 'Given name of the dependent.';
comment on column dependents.last_name is 'Family name of the dependent.';
comment on column dependents.relationship is 'What the dependent is to the employee: Child or Spouse.';
comment on column dependents.employee_id is 'The employee on whom the dependent depends.';

insert into regions (region_id, region_name) values
  (1, 'Europe'),
  (2, 'Americas'),
  (3, 'Asia and Pacific'),
  (4, 'Middle East and Africa');

insert into countries (country_id, country_name, region_id) values
  ('AR', 'Argentina', 2),
  ('AU', 'Australia', 3),
  ('BE', 'Belgium', 1),
  ('BR', 'Brazil', 2),
  ('CA', 'Canada', 2),
  ('CH', 'Switzerland', 1),
  ('CL', 'Chile', 2),
  ('CZ', 'Czechia', 1),
  ('DE', 'Germany', 1),
  ('EG', 'Egypt', 4),
  ('ES', 'Spain', 1),
  ('FI', 'Finland', 1),
  ('FR', 'France', 1),
  ('GB', 'United Kingdom', 1),
  ('IE', 'Ireland', 1),
  ('IN', 'India', 3),
  ('JP', 'Japan', 3),
  ('KE', 'Kenya', 4),
  ('KR', 'South Korea', 3),
  ('MX', 'Mexico', 2),
  ('NL', 'Netherlands', 1),
  ('NZ', 'New Zealand', 3),
  ('PT', 'Portugal', 1),
  ('SG', 'Singapore', 3),
  ('US', 'United States of America', 2),
  ('ZA', 'South Africa', 4);

insert into locations (location_id, street_address, postal_code, city, state_province, country_id) values
  (10, '14 Harbour Row', 'BT1 3QA', 'Belfast', null, 'GB'),
  (11, '220 Lakeshore Drive', 'M5J 1A7', 'Toronto', 'Ontario', 'CA'),
  (12, '8 Mint Street', '60311', 'Frankfurt am Main', 'Hesse', 'DE'),
  (13, '901 Foundry Avenue', '97209', 'Portland', 'Oregon', 'US'),
  (14, '45 Juniper Lane', '78701', 'Austin', 'Texas', 'US'),
  (15, '3 Canal Walk', '1016 GC', 'Amsterdam', null, 'NL'),
  (16, '17 Orchid Road', '238823', 'Singapore', null, 'SG'),
  (17, '62 Acacia Close', '00100', 'Nairobi', null, 'KE'),
  (18, '5 Rua do Moinho', '1200-290', 'Lisbon', null, 'PT');

insert into departments (department_id, department_name, location_id) values
  (1, 'Administration', 13),
  (2, 'Marketing', 11),
  (3, 'Purchasing', 13),
  (4, 'Human Resources', 15),
  (5, 'Shipping', 14),
  (6, 'IT', 16),
  (7, 'Public Relations', 12),
  (8, 'Sales', 10),
  (9, 'Executive', 13),
  (10, 'Finance', 12),
  (11, 'Accounting', 18);

insert into jobs (job_id, job_title, min_salary, max_salary) values
  (1, 'President', 24000, 42000),
  (2, 'Vice President', 15000, 30000),
  (3, 'Administrative Assistant', 3000, 6500),
  (4, 'Marketing Manager', 9000, 15500),
  (5, 'Marketing Specialist', 4200, 9000),
  (6, 'Purchasing Manager', 8000, 15000),
  (7, 'Purchasing Clerk', 2600, 5500),
  (8, 'Human Resources Manager', 8000, 14500),
  (9, 'Human Resources Partner', 4000, 8800),
  (10, 'Warehouse Manager', 5500, 9500),
  (11, 'Shipping Clerk', 2500, 5200),
  (12, 'Stock Clerk', 2200, 4800),
  (13, 'Engineering Manager', 9500, 17500),
  (14, 'Software Engineer', 4800, 13500),
  (15, 'Public Relations Officer', 4500, 10500),
  (16, 'Sales Manager', 10000, 19500),
  (17, 'Sales Representative', 5800, 12500),
  (18, 'Finance Manager', 8500, 16500),
  (19, 'Accountant', 4300, 9800);

insert into employees (
  employee_id, first_name, last_name, email, phone_number, hire_date, job_id, salary, manager_id, department_id
) values
  (100, 'Lina', 'Obi', 'lina.obi@example.com', '555-948-7518', '2010-05-01', 1, 36500, null, 9),
  (101, 'Enzo', 'Bergstrom', 'enzo.bergstrom@example.com', '555-235-3293', '2001-10-28', 2, 27250, 100, 9),
  (102, 'Jana', 'Almeida', 'jana.almeida@example.com', '555-638-0858', '2010-08-11', 2, 25800, 100, 9),
  (103, 'Ivo', 'Garnier', 'ivo.garnier@example.com', '555-376-0330', '2014-03-03', 3, 6200, 101, 1),
  (104, 'Ines', 'Escobar', 'ines.escobar@example.com', '555-145-4848', '2024-02-16', 3, 4350, 103, 1),
  (105, 'Paloma', 'Kimura', 'paloma.kimura@example.com', '555-543-2402', '2004-03-22', 4, 14100, 101, 2),
  (106, 'Selma', 'Sadler', 'selma.sadler@example.com', '555-400-6359', '2021-09-15', 5, 4600, 105, 2),
  (107, 'Imani', 'Galloway', 'imani.galloway@example.com', '555-303-1363', '2017-09-20', 5, 6950, 105, 2),
  (108, 'Antonia', 'Mbeki', 'antonia.mbeki@example.com', '555-675-3862', '2016-06-24', 5, 6800, 105, 2),
  (109, 'Karim', 'Meyer', 'karim.meyer@example.com', '555-144-8829', '2019-06-21', 5, 6350, 105, 2),
  (110, 'Fiona', 'Oliveira', 'fiona.oliveira@example.com', '555-541-3104', '2005-12-09', 6, 12750, 102, 3),
  (111, 'Hassan', 'Carmona', 'hassan.carmona@example.com', '555-832-7715', '2012-09-17', 7, 3700, 110, 3),
  (112, 'Felix', 'Santoro', 'felix.santoro@example.com', '555-580-1258', '2010-03-09', 7, 4150, 110, 3),
  (113, 'Leila', 'Castellan', 'leila.castellan@example.com', '555-797-5207', '2011-06-09', 7, 4750, 110, 3),
  (114, 'Amir', 'Devereux', 'amir.devereux@example.com', '555-077-8114', '2014-05-04', 7, 3150, 110, 3),
  (115, 'Omar', 'Nyberg', 'omar.nyberg@example.com', '555-891-8330', '2007-08-16', 7, 2950, 110, 3),
  (116, 'Arjun', 'Halloran', 'arjun.halloran@example.com', '555-840-5088', '2024-02-21', 8, 11900, 101, 4),
  (117, 'Marta', 'Salazar', 'marta.salazar@example.com', '555-920-8494', '2022-03-15', 9, 6200, 116, 4),
  (118, 'Quentin', 'Gupta', 'quentin.gupta@example.com', '555-120-3118', '2013-03-07', 9, 6150, 116, 4),
  (119, 'Petra', 'Valdez', 'petra.valdez@example.com', '555-787-5022', '2023-02-28', 9, 6050, 116, 4),
  (120, 'Soren', 'Palmgren', 'soren.palmgren@example.com', '555-738-3382', '2023-09-04', 10, 9150, 102, 5),
  (121, 'Zoe', 'Kavanagh', 'zoe.kavanagh@example.com', '555-446-7755', '2012-04-17', 10, 8600, 102, 5),
  (122, 'Xavier', 'Bianchi', 'xavier.bianchi@example.com', '555-831-3010', '2006-06-17', 10, 8050, 102, 5),
  (123, 'Miriam', 'Sorensen', 'miriam.sorensen@example.com', '555-154-0176', '2020-10-12', 10, 7700, 102, 5),
  (124, 'Ravi', 'Urquhart', 'ravi.urquhart@example.com', '555-892-2108', '2018-03-10', 11, 3500, 120, 5),
  (125, 'Lars', 'Diallo', 'lars.diallo@example.com', '555-037-1906', '2011-10-27', 11, 3750, 121, 5),
  (126, 'Mateo', 'Navarro', 'mateo.navarro@example.com', '555-617-7240', '2019-10-03', 11, 4450, 122, 5),
  (127, 'Yara', 'Novak', 'yara.novak@example.com', '555-177-1566', '2007-12-22', 11, 3650, 123, 5),
  (128, 'Farah', 'Kapoor', 'farah.kapoor@example.com', '555-248-4509', '2024-12-21', 11, 3700, 120, 5),
  (129, 'Hana', 'Idowu', 'hana.idowu@example.com', '555-606-7301', '2009-02-18', 11, 4850, 121, 5),
  (130, 'Rafael', 'Hartwig', 'rafael.hartwig@example.com', '555-057-7394', '2013-09-24', 11, 3600, 122, 5),
  (131, 'Hugo', 'Petrov', 'hugo.petrov@example.com', '555-786-5868', '2006-05-01', 11, 3000, 123, 5),
  (132, 'Sunita', 'Jarvinen', 'sunita.jarvinen@example.com', '555-922-1033', '2015-09-13', 11, 3400, 120, 5),
  (133, 'Gabriel', 'Mehta', 'gabriel.mehta@example.com', '555-790-2919', '2017-01-02', 11, 4000, 121, 5),
  (134, 'Samir', 'Osei', 'samir.osei@example.com', '555-043-0014', '2008-12-15', 11, 3200, 122, 5),
  (135, 'Zeno', 'Baptiste', 'zeno.baptiste@example.com', '555-574-7572', '2012-07-18', 11, 3900, 123, 5),
  (136, 'Greta', 'Joshi', 'greta.joshi@example.com', '555-838-8625', '2020-12-28', 11, 3000, 120, 5),
  (137, 'Vera', 'Ferreira', 'vera.ferreira@example.com', '555-650-1951', '2009-08-07', 11, 3450, 121, 5),
  (138, 'Bela', 'Sato', 'bela.sato@example.com', '555-230-4796', '2017-03-22', 11, 4150, 122, 5),
  (139, 'Lucas', 'Lombardi', 'lucas.lombardi@example.com', '555-650-9979', '2007-04-14', 11, 2550, 123, 5),
  (140, 'Wei', 'Kovac', 'wei.kovac@example.com', '555-613-8904', '2014-10-11', 11, 3550, 120, 5),
  (141, 'Mai', 'Shapiro', 'mai.shapiro@example.com', '555-521-8281', '2016-01-01', 12, 4350, 121, 5),
  (142, 'Viggo', 'Rossi', 'viggo.rossi@example.com', '555-841-5713', '2011-03-07', 12, 3400, 122, 5),
  (143, 'Adaeze', 'Wanjiru', 'adaeze.wanjiru@example.com', '555-928-4979', '2015-02-06', 12, 2800, 123, 5),
  (144, 'Valeria', 'Moreau', 'valeria.moreau@example.com', '555-972-2555', '2012-02-04', 12, 3950, 120, 5),
  (145, 'Daniel', 'Lindqvist', 'daniel.lindqvist@example.com', '555-856-0381', '2017-05-12', 12, 3400, 121, 5),
  (146, 'Isaac', 'Kamau', 'isaac.kamau@example.com', '555-292-7701', '2006-08-01', 12, 3050, 122, 5),
  (147, 'Nadia', 'Jansen', 'nadia.jansen@example.com', '555-086-0331', '2015-01-01', 12, 3950, 123, 5),
  (148, 'Dalia', 'Whitlock', 'dalia.whitlock@example.com', '555-938-4600', '2015-07-09', 12, 3400, 120, 5),
  (149, 'Klara', 'Marchetti', 'klara.marchetti@example.com', null, '2019-12-03', 12, 2700, 121, 5),
  (150, 'Edith', 'Tran', 'edith.tran@example.com', null, '2006-05-24', 12, 3250, 122, 5),
  (151, 'Alma', 'Dunmore', 'alma.dunmore@example.com', '555-982-0089', '2022-10-27', 12, 3850, 123, 5),
  (152, 'Astrid', 'Pereira', 'astrid.pereira@example.com', '555-528-0427', '2009-08-14', 12, 3950, 120, 5),
  (153, 'Jasper', 'Dahl', 'jasper.dahl@example.com', '555-035-3762', '2009-10-27', 12, 3750, 121, 5),
  (154, 'Nora', 'Quigley', 'nora.quigley@example.com', '555-535-1921', '2017-06-18', 12, 3300, 122, 5),
  (155, 'Nils', 'Becker', 'nils.becker@example.com', '555-473-8186', '2013-05-19', 12, 3750, 123, 5),
  (156, 'Tamar', 'Leclerc', 'tamar.leclerc@example.com', '555-921-2590', '2007-11-15', 12, 2550, 120, 5),
  (157, 'Zara', 'Weber', 'zara.weber@example.com', '555-619-9280', '2012-09-20', 12, 3500, 121, 5),
  (158, 'Elif', 'Danso', 'elif.danso@example.com', '555-134-5671', '2009-04-08', 13, 16900, 102, 6),
  (159, 'Leon', 'Ibarra', 'leon.ibarra@example.com', '555-001-4901', '2021-12-11', 13, 13350, 158, 6),
  (160, 'Keiko', 'Kruger', 'keiko.kruger@example.com', '555-787-2413', '2019-12-07', 14, 9250, 158, 6),
  (161, 'Teresa', 'Zimmer', 'teresa.zimmer@example.com', '555-894-3839', '2024-03-02', 14, 9200, 159, 6),
  (162, 'Oluwaseun', 'Varga', 'oluwaseun.varga@example.com', '555-645-1755', '2024-01-25', 14, 7600, 158, 6),
  (163, 'Priya', 'Abara', 'priya.abara@example.com', '555-927-0961', '2023-08-17', 14, 7200, 159, 6),
  (164, 'Wanda', 'Montoya', 'wanda.montoya@example.com', '555-339-5083', '2015-05-26', 14, 8450, 158, 6),
  (165, 'Simon', 'Madaki', 'simon.madaki@example.com', '555-922-3353', '2023-07-22', 14, 7550, 159, 6),
  (166, 'Anika', 'Thorne', 'anika.thorne@example.com', '555-668-5334', '2014-12-16', 14, 7300, 158, 6),
  (167, 'Helena', 'Ramirez', 'helena.ramirez@example.com', '555-484-3569', '2020-02-01', 14, 6950, 159, 6),
  (168, 'Sofia', 'Pavlov', 'sofia.pavlov@example.com', '555-002-1787', '2024-01-16', 14, 9050, 158, 6),
  (169, 'Camille', 'Quiroga', 'camille.quiroga@example.com', '555-017-2204', '2009-04-04', 14, 8800, 159, 6),
  (170, 'Lydia', 'Takeda', 'lydia.takeda@example.com', '555-562-5620', '2010-04-13', 14, 11650, 158, 6),
  (171, 'Noah', 'Park', 'noah.park@example.com', '555-897-6835', '2016-06-07', 14, 7300, 159, 6),
  (172, 'Oscar', 'Schreiber', 'oscar.schreiber@example.com', '555-760-0181', '2006-05-21', 15, 10400, 101, 7),
  (173, 'Carlos', 'Ellery', 'carlos.ellery@example.com', '555-431-5363', '2022-04-23', 15, 7150, 172, 7),
  (174, 'Malik', 'Fontaine', 'malik.fontaine@example.com', '555-485-2937', '2014-02-03', 16, 18750, 101, 8),
  (175, 'Sara', 'Fairbairn', 'sara.fairbairn@example.com', '555-704-2481', '2011-03-03', 16, 17600, 101, 8),
  (176, 'Kaito', 'Brandt', 'kaito.brandt@example.com', '555-607-0386', '2004-03-24', 16, 14850, 101, 8),
  (177, 'Tariq', 'Keller', 'tariq.keller@example.com', '555-942-2250', '2016-04-02', 17, 7750, 174, 8),
  (178, 'Florian', 'Vasquez', 'florian.vasquez@example.com', '555-853-9211', '2018-02-15', 17, 11700, 175, 8),
  (179, 'Freya', 'Haddad', 'freya.haddad@example.com', '555-453-6974', '2007-06-13', 17, 7700, 176, 8),
  (180, 'Tomas', 'Laurent', 'tomas.laurent@example.com', '555-581-8193', '2009-11-27', 17, 8550, 174, 8),
  (181, 'Mina', 'Cho', 'mina.cho@example.com', '555-903-8847', '2013-06-04', 17, 10650, 175, 8),
  (182, 'Ruth', 'Holm', 'ruth.holm@example.com', '555-043-5528', '2012-01-28', 17, 10500, 176, 8),
  (183, 'Naomi', 'Coleridge', 'naomi.coleridge@example.com', '555-267-4938', '2019-06-02', 17, 10950, 174, 8),
  (184, 'Jonas', 'Nguyen', 'jonas.nguyen@example.com', '555-646-9545', '2015-02-11', 17, 8750, 175, 8),
  (185, 'Darius', 'Rinaldi', 'darius.rinaldi@example.com', null, '2022-04-10', 17, 8650, 176, 8),
  (186, 'Clara', 'Silva', 'clara.silva@example.com', '555-839-7188', '2018-09-04', 17, 9450, 174, 8),
  (187, 'Bruno', 'Delacroix', 'bruno.delacroix@example.com', '555-138-1420', '2021-10-17', 17, 8500, 175, 8),
  (188, 'Uma', 'Yamada', 'uma.yamada@example.com', '555-596-8453', '2010-07-16', 17, 8900, 176, 8),
  (189, 'Magnus', 'Mwangi', 'magnus.mwangi@example.com', '555-094-6294', '2023-01-19', 17, 8850, 174, 8),
  (190, 'Anders', 'Nakamura', 'anders.nakamura@example.com', '555-223-0656', '2008-10-26', 17, 8200, 175, 8),
  (191, 'Esther', 'Farouk', 'esther.farouk@example.com', '555-130-4239', '2013-03-01', 17, 6650, 176, 8),
  (192, 'Rosa', 'Eklund', 'rosa.eklund@example.com', '555-892-7638', '2023-10-09', 17, 8750, 174, 8),
  (193, 'Judith', 'Amsel', 'judith.amsel@example.com', '555-528-5804', '2010-01-07', 17, 10050, 175, 8),
  (194, 'Chiara', 'Barlow', 'chiara.barlow@example.com', '555-051-5238', '2021-06-27', 17, 8700, 176, 8),
  (195, 'Stella', 'Tanaka', 'stella.tanaka@example.com', '555-975-7227', '2018-02-26', 17, 8250, 174, 8),
  (196, 'Thea', 'Hayashi', 'thea.hayashi@example.com', '555-575-2078', '2008-11-17', 17, 11400, 175, 8),
  (197, 'Ida', 'Reinhardt', 'ida.reinhardt@example.com', '555-693-2674', '2019-10-07', 17, 7700, 176, 8),
  (198, 'Emeka', 'Boateng', 'emeka.boateng@example.com', '555-150-4955', '2013-01-22', 18, 15450, 102, 10),
  (199, 'Yusuf', 'Rahman', 'yusuf.rahman@example.com', '555-570-3948', '2016-02-27', 19, 7500, 198, 10),
  (200, 'Theo', 'Ganesan', 'theo.ganesan@example.com', null, '2009-10-01', 19, 6450, 198, 10),
  (201, 'Victor', 'Zielinski', 'victor.zielinski@example.com', '555-553-5923', '2023-10-21', 19, 9050, 198, 10),
  (202, 'Lina', 'Bouchard', 'lina.bouchard@example.com', '555-512-7700', '2015-07-03', 19, 9500, 198, 10),
  (203, 'Enzo', 'Caldwell', 'enzo.caldwell@example.com', '555-677-1601', '2014-11-17', 19, 6250, 198, 10),
  (204, 'Jana', 'Stavros', 'jana.stavros@example.com', '555-807-9534', '2015-02-20', 18, 12300, 102, 11),
  (205, 'Ivo', 'Ortega', 'ivo.ortega@example.com', '555-753-4916', '2022-03-14', 19, 6950, 204, 11),
  (206, 'Ines', 'Blackwood', 'ines.blackwood@example.com', '555-818-4754', '2019-12-24', 19, 5600, 204, 11);

insert into dependents (dependent_id, first_name, last_name, relationship, employee_id) values
  (1, 'Simon', 'Obi', 'Child', 100),
  (2, 'Priya', 'Devereux', 'Child', 114),
  (3, 'Sunita', 'Salazar', 'Child', 117),
  (4, 'Xavier', 'Bianchi', 'Spouse', 122),
  (5, 'Emeka', 'Bianchi', 'Child', 122),
  (6, 'Daniel', 'Novak', 'Child', 127),
  (7, 'Mina', 'Hartwig', 'Child', 130),
  (8, 'Lars', 'Baptiste', 'Spouse', 135),
  (9, 'Judith', 'Baptiste', 'Child', 135),
  (10, 'Soren', 'Joshi', 'Child', 136),
  (11, 'Rafael', 'Rossi', 'Child', 142),
  (12, 'Clara', 'Wanjiru', 'Spouse', 143),
  (13, 'Samir', 'Wanjiru', 'Child', 143),
  (14, 'Omar', 'Kamau', 'Spouse', 146),
  (15, 'Hassan', 'Kamau', 'Child', 146),
  (16, 'Lina', 'Kamau', 'Child', 146),
  (17, 'Uma', 'Jansen', 'Spouse', 147),
  (18, 'Malik', 'Jansen', 'Child', 147),
  (19, 'Wanda', 'Becker', 'Spouse', 155),
  (20, 'Oscar', 'Becker', 'Child', 155),
  (21, 'Ida', 'Kruger', 'Child', 160),
  (22, 'Miriam', 'Varga', 'Child', 162),
  (23, 'Lucas', 'Ellery', 'Child', 173),
  (24, 'Hana', 'Ellery', 'Child', 173),
  (25, 'Leila', 'Holm', 'Spouse', 182),
  (26, 'Naomi', 'Holm', 'Child', 182),
  (27, 'Magnus', 'Delacroix', 'Spouse', 187),
  (28, 'Sofia', 'Delacroix', 'Child', 187),
  (29, 'Nora', 'Stavros', 'Spouse', 204),
  (30, 'Alma', 'Stavros', 'Child', 204);

analyze regions, countries, locations, departments, jobs, employees, dependents;
